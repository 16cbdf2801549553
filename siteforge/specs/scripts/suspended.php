<?php
/**
 * What a suspended site answers, whatever it is asked for. Nothing of the site itself is read.
 */
const SITEFORGE_RETRY_SECONDS = 3600;

if (strtok($_SERVER['REQUEST_URI'] ?? '', '?') === '/siteforge-health.php') {
    exit("suspended\n");
}
// Search engines keep the pages they know of a site that says so (RFC 9110, section 15.6.4).
http_response_code(503);
header('Retry-After: ' . SITEFORGE_RETRY_SECONDS);
header('Cache-Control: no-store');
header('Content-Type: text/html; charset=utf-8');
$siteforge_title = htmlspecialchars((string) getenv('SITEFORGE_TITLE'), ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><?= $siteforge_title ?></title>
<style>
:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
body { display: grid; min-height: 90vh; place-content: center; max-width: 34rem; margin: auto; padding: 1rem }
</style>
</head>
<body>
<h1><?= $siteforge_title ?></h1>
<p>This site is suspended. Nothing of it is lost; please come back later.</p>
</body>
</html>
