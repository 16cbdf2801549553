<?php
/**
 * What a site's pod tells of its Apache, PHP and WordPress, in Prometheus' text format. No code of the site runs.
 */
const SITEFORGE_STATUS = 'http://127.0.0.1:9118/?auto';

function siteforge_metric(string $name, string $type, string $help, array $samples): void
{
    echo "# HELP siteforge_site_$name $help\n# TYPE siteforge_site_$name $type\n";
    foreach ($samples as $labels => $value) {
        echo "siteforge_site_$name$labels $value\n";
    }
}

function siteforge_label(string $name, string $value): string
{
    return sprintf('{%s="%s"}', $name, addcslashes($value, "\\\"\n"));
}

header('Content-Type: text/plain; version=0.0.4; charset=utf-8');
$lines = file(SITEFORGE_STATUS, FILE_IGNORE_NEW_LINES, stream_context_create(['http' => ['timeout' => 5]])) ?: [];
$apache = [];
foreach ($lines as $line) {
    [$key, $value] = explode(': ', $line, 2) + [1 => ''];
    $apache[$key] = $value;
}
siteforge_metric('apache_up', 'gauge', 'Whether Apache told its status.', ['' => (int) isset($apache['BusyWorkers'])]);
if (isset($apache['BusyWorkers'])) {
    siteforge_metric('apache_workers', 'gauge', 'Processes by what they do.', [
        siteforge_label('state', 'busy') => $apache['BusyWorkers'],
        siteforge_label('state', 'idle') => $apache['IdleWorkers'],
    ]);
    siteforge_metric('apache_requests_total', 'counter', 'Requests since Apache started.', [
        '' => $apache['Total Accesses'],
    ]);
    siteforge_metric('apache_sent_bytes_total', 'counter', 'Bytes sent since then.', [
        '' => 1024 * (int) $apache['Total kBytes'],
    ]);
    siteforge_metric('apache_uptime_seconds', 'gauge', 'How long it runs.', ['' => $apache['ServerUptimeSeconds']]);
}
siteforge_metric('php_info', 'gauge', 'Always 1; the version of PHP.', [siteforge_label('version', PHP_VERSION) => 1]);
if ($cache = function_exists('opcache_get_status') ? @opcache_get_status(false) : false) {
    siteforge_metric('opcache_memory_bytes', 'gauge', 'Memory of the cache of compiled scripts.', [
        siteforge_label('state', 'used') => $cache['memory_usage']['used_memory'],
        siteforge_label('state', 'free') => $cache['memory_usage']['free_memory'],
        siteforge_label('state', 'wasted') => $cache['memory_usage']['wasted_memory'],
    ]);
    siteforge_metric('opcache_scripts', 'gauge', 'Scripts in it.', [
        '' => $cache['opcache_statistics']['num_cached_scripts'],
    ]);
    siteforge_metric('opcache_hits_total', 'counter', 'Scripts that were in it when they were wanted.', [
        '' => $cache['opcache_statistics']['hits'],
    ]);
    siteforge_metric('opcache_misses_total', 'counter', 'Scripts that were not.', [
        '' => $cache['opcache_statistics']['misses'],
    ]);
}
if (is_file('/var/www/html/wp-includes/version.php')) {
    include '/var/www/html/wp-includes/version.php';
    siteforge_metric('wordpress_info', 'gauge', 'Always 1; the version of WordPress in the pod.', [
        siteforge_label('version', (string) ($wp_version ?? '')) => 1,
    ]);
}
