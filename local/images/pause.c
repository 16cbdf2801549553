/* The process that holds a pod's namespaces open: it reaps orphans and waits for a signal to end.
 *
 * Same contract as Kubernetes' own pause: SIGINT and SIGTERM end it with 0, SIGCHLD reaps every child
 * that the kernel hands to the first process of a shared process namespace. Built static, without a libc
 * in the image.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static void reap(int signal_number)
{
    int saved = errno;

    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

int main(void)
{
    struct sigaction ending = {.sa_handler = end};
    struct sigaction reaping = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};

    if (sigaction(SIGINT, &ending, NULL) || sigaction(SIGTERM, &ending, NULL) ||
        sigaction(SIGCHLD, &reaping, NULL))
        return 1;
    for (;;)
        pause();
}
