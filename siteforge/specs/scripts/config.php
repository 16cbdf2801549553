<?php
/**
 * What wp-config.php gets besides the image's own settings (WORDPRESS_CONFIG_EXTRA).
 */
if (!function_exists('siteforge_host')) {
    /**
     * The host that the site's own links name: the one it was asked under, if that is a way to this
     * Service that needs no domain (port-forward, cluster DNS, a private address); else the Service.
     *
     * Taking just any Host header would let a stranger put his own domain into password-reset mails.
     */
    function siteforge_host(string $asked, string $service): string
    {
        $asked = strtolower($asked);
        if (!preg_match('/^([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?$/D', $asked, $part)) {
            return $service;
        }
        $host = trim($part[1], '[]');
        $labels = explode('.', $service);
        $names = ['localhost', $labels[0], "$labels[0].$labels[1]", "$labels[0].$labels[1].svc", $service];
        if (in_array($host, $names, true)) {
            return $asked;
        }
        $public = FILTER_FLAG_NO_PRIV_RANGE | FILTER_FLAG_NO_RES_RANGE;
        $private = filter_var($host, FILTER_VALIDATE_IP) && !filter_var($host, FILTER_VALIDATE_IP, $public);
        return $private ? $asked : $service;
    }
}

// WordPress and plugins ask for the header itself, too: none of them gets to see a stranger's.
$_SERVER['HTTP_HOST'] = siteforge_host($_SERVER['HTTP_HOST'] ?? '', (string) getenv('SITEFORGE_SERVICE_HOST'));
$siteforge_url = (($_SERVER['HTTPS'] ?? '') === 'on' ? 'https://' : 'http://') . $_SERVER['HTTP_HOST'];
define('WP_HOME', $siteforge_url);
define('WP_SITEURL', $siteforge_url);

// The core comes with the image: an update written into the pod would be gone with it.
define('WP_AUTO_UPDATE_CORE', false);
// Plugins and themes are written to the volume directly; there is no FTP server to ask for.
define('FS_METHOD', 'direct');
