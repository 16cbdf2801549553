<?php
/**
 * What wp-config.php gets besides the image's own settings (WORDPRESS_CONFIG_EXTRA).
 */
require_once __DIR__ . '/site.php';

if (!function_exists('siteforge_way')) {
    /**
     * The host that was asked for, if that is a way to this Service that needs no domain: port-forward, cluster
     * DNS, a private address; else null.
     *
     * Taking just any Host header would let a stranger put his own domain into password-reset mails.
     */
    function siteforge_way(string $asked, string $service): ?string
    {
        if (!preg_match('/^([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?$/D', $asked, $part)) {
            return null;
        }
        $host = trim($part[1], '[]');
        $labels = explode('.', $service);
        $names = ['localhost', $labels[0], "$labels[0].$labels[1]", "$labels[0].$labels[1].svc", $service];
        if (in_array($host, $names, true)) {
            return $asked;
        }
        $public = FILTER_FLAG_NO_PRIV_RANGE | FILTER_FLAG_NO_RES_RANGE;
        $private = filter_var($host, FILTER_VALIDATE_IP) && !filter_var($host, FILTER_VALIDATE_IP, $public);
        return $private ? $asked : null;
    }

    /** The domain that was asked for, if it is one of the site's; else null. */
    function siteforge_domain(string $asked, array $domains): ?string
    {
        $host = rtrim(preg_replace('/:[0-9]{1,5}$/D', '', $asked), '.');
        return in_array($host, $domains, true) ? $host : null;
    }

    /**
     * The site's address in the eyes of whoever asks.
     *
     * @param array  $site      site.json
     * @param string $asked     the Host header
     * @param bool   $encrypted whether the visitor came over TLS
     */
    function siteforge_url(array $site, string $asked, bool $encrypted): string
    {
        $asked = strtolower($asked);
        $scheme = $encrypted ? 'https://' : 'http://';
        if (!siteforge_domain($asked, $site['domains']) && $way = siteforge_way($asked, $site['service'])) {
            return $scheme . $way;
        }
        if (!$site['domains']) {
            return $scheme . $site['service'];
        }
        return ($site['tls'] ? 'https://' : $scheme) . $site['domains'][0];
    }

    /**
     * Where a visitor has to go first: to the first domain, over TLS if the site has it. Null if he is there.
     *
     * Only a proxy that says so makes a request one without TLS: a guess could send visitors in a circle.
     *
     * @param string $proto X-Forwarded-Proto; NetworkPolicy lets nobody ask but the ingress controller and the
     *                      site's own pods, so that it is the controller's word
     */
    function siteforge_elsewhere(array $site, string $asked, string $proto, string $path): ?string
    {
        $domain = siteforge_domain(strtolower($asked), $site['domains']);
        $plain = $site['tls'] && strtolower($proto) === 'http';
        if ($domain === null || ($domain === $site['domains'][0] && !$plain)) {
            return null;
        }
        // A request line may hold a whole URL instead of a path.
        return siteforge_url($site, $asked, strtolower($proto) === 'https') . (str_starts_with($path, '/') ? $path : '/');
    }

    /** Scheduled work is asked for over the Service: not every pod may go out and come in again as a visitor. */
    function siteforge_cron(array $request): array
    {
        $site = siteforge_site();
        if ($site['domains']) {
            $request['url'] = preg_replace('#^https?://[^/]+#', 'http://' . $site['service'], $request['url']);
            $request['args']['headers']['Host'] = $site['domains'][0];
        }
        return $request;
    }

    /** Mail goes through the declared server. */
    function siteforge_mail($mailer): void
    {
        $smtp = siteforge_site()['smtp'];
        $mailer->isSMTP();
        $mailer->Host = $smtp['host'];
        $mailer->Port = $smtp['port'];
        $mailer->SMTPSecure = ['starttls' => 'tls', 'tls' => 'ssl', 'none' => ''][$smtp['encryption']];
        $mailer->SMTPAutoTLS = $smtp['encryption'] !== 'none';
        $mailer->SMTPAuth = $smtp['user'] !== null;
        if ($mailer->SMTPAuth) {
            $mailer->Username = $smtp['user'];
            $mailer->Password = siteforge_value('SITEFORGE_SMTP_PASSWORD');
        }
    }

    function siteforge_sender(): string
    {
        return siteforge_site()['smtp']['from'];
    }

    /** A filter or action of WordPress, which is not loaded yet: it takes over what stands here already. */
    function siteforge_hook(string $name, string $function): void
    {
        $GLOBALS['wp_filter'][$name][10][$function] = ['function' => $function, 'accepted_args' => 1];
    }
}

$siteforge_site = siteforge_site();
$siteforge_host = $_SERVER['HTTP_HOST'] ?? '';
$siteforge_proto = trim(explode(',', $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '')[0]);

if (PHP_SAPI !== 'cli') {
    $siteforge_there = siteforge_elsewhere(
        $siteforge_site,
        $siteforge_host,
        $siteforge_proto,
        $_SERVER['REQUEST_URI'] ?? '/'
    );
    if ($siteforge_there !== null) {
        // 308 keeps the method and body of what is no plain visit.
        $siteforge_visit = in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', ['GET', 'HEAD'], true);
        header("Location: $siteforge_there", true, $siteforge_visit ? 301 : 308);
        exit;
    }
}
if (strtolower($siteforge_proto) === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
$siteforge_url = siteforge_url($siteforge_site, $siteforge_host, ($_SERVER['HTTPS'] ?? '') === 'on');
// WordPress and plugins ask for the header itself, too: none of them gets to see a stranger's, or a port that
// a proxy adds to a domain, which WordPress would redirect for ever.
$_SERVER['HTTP_HOST'] = explode('://', $siteforge_url, 2)[1];
define('WP_HOME', $siteforge_url);
define('WP_SITEURL', $siteforge_url);

siteforge_hook('cron_request', 'siteforge_cron');
if ($siteforge_site['smtp']) {
    siteforge_hook('phpmailer_init', 'siteforge_mail');
    siteforge_hook('wp_mail_from', 'siteforge_sender');
}

// The core comes with the image: an update written into the pod would be gone with it.
define('WP_AUTO_UPDATE_CORE', false);
// Plugins and themes are written to the volume directly; there is no FTP server to ask for.
define('FS_METHOD', 'direct');

foreach ($siteforge_site['constants'] as $siteforge_name => $siteforge_constant) {
    // What the image has defined by now stays as it is: PHP would only complain.
    defined($siteforge_name) || define($siteforge_name, $siteforge_constant);
}
// A CronJob asks for the scheduled work: no visitor starts it, or waits for it.
defined('DISABLE_WP_CRON') || define('DISABLE_WP_CRON', true);
