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
require '/opt/siteforge/scripts/site.php';
$database = siteforge_connect(3, 3);
if (!$database) {
    siteforge_not_ready('the database does not answer');
}
$row = $database->query("SELECT 1 FROM wp_options WHERE option_name = 'siteurl'");
if (!$row || $row->num_rows !== 1) {
    siteforge_not_ready('the site is not installed');
}
echo "ready\n";
