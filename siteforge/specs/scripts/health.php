<?php
/**
 * What the pod's probes ask. Without a query: does PHP run? With ?ready: can the site answer?
 *
 * It asks the database itself instead of loading WordPress, so that no plugin, theme or redirect of the
 * site decides whether its pods live, and the owner can still reach wp-admin to mend a broken plugin.
 */
if (!isset($_GET['ready'])) {
    exit("alive\n");
}

function siteforge_not_ready(string $reason): never
{
    http_response_code(503);
    exit("not ready: $reason\n");
}

if (!is_file(__DIR__ . '/wp-config.php') || !is_file(__DIR__ . '/wp-includes/version.php')) {
    siteforge_not_ready('the core is still being copied');
}
mysqli_report(MYSQLI_REPORT_OFF);
$database = mysqli_init();
$database->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
$database->options(MYSQLI_OPT_READ_TIMEOUT, 3);
$password = rtrim((string) @file_get_contents((string) getenv('WORDPRESS_DB_PASSWORD_FILE')), "\r\n");
$connected = @$database->real_connect(
    getenv('WORDPRESS_DB_HOST'),
    getenv('WORDPRESS_DB_USER'),
    $password,
    getenv('WORDPRESS_DB_NAME')
);
if (!$connected) {
    siteforge_not_ready('the database does not answer');
}
$row = $database->query("SELECT 1 FROM wp_options WHERE option_name = 'siteurl'");
if (!$row || $row->num_rows !== 1) {
    siteforge_not_ready('the site is not installed');
}
echo "ready\n";
