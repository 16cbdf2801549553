<?php
/**
 * Has the site do its scheduled work, by a request for wp-cron.php: no visitor waits for it, or has to come.
 *
 * The site does it, not this pod, which therefore needs no volume, no core and no password, and may be on any node.
 */
require __DIR__ . '/site.php';

/** All that is due is done one after the other before there is an answer. */
const SITEFORGE_CRON_SECONDS = 600;

['service' => $siteforge_service, 'domains' => $siteforge_domains, 'tls' => $siteforge_tls] = siteforge_site();
$siteforge_headers = [
    // As visitors see the site: links in mails and posts are made of it.
    'Host: ' . ($siteforge_domains[0] ?? $siteforge_service),
    'X-Forwarded-Proto: ' . ($siteforge_tls ? 'https' : 'http'),
    'User-Agent: siteforge-cron',
    'Connection: close',
];
@file_get_contents("http://$siteforge_service/wp-cron.php", false, stream_context_create(['http' => [
    'header' => $siteforge_headers,
    'ignore_errors' => true,
    'follow_location' => 0,
    'timeout' => SITEFORGE_CRON_SECONDS,
]]));
$siteforge_answer = $http_response_header[0] ?? 'nothing';
fwrite(STDERR, "siteforge: wp-cron.php answered $siteforge_answer\n");
exit(str_contains($siteforge_answer, ' 200') ? 0 : 1);
