<?php
/**
 * The tenant's own values, and what several scripts do with them.
 */

/** @return array<string, mixed> site.json, as specs/site_config.py wrote it */
function siteforge_site(): array
{
    static $site = null;
    return $site ??= json_decode(file_get_contents(__DIR__ . '/site.json'), true, 16, JSON_THROW_ON_ERROR);
}

/** The value of a variable, or of the file that its `_FILE` twin names. */
function siteforge_value(string $name): string
{
    $file = getenv("{$name}_FILE");
    return $file === false ? (string) getenv($name) : rtrim((string) @file_get_contents($file), "\r\n");
}

/**
 * A connection to the site's database, or null; mysqli_connect_error() says why.
 *
 * @param int $seconds how long to wait for a connection
 * @param int $answer  how long to wait for an answer of it, in seconds
 */
function siteforge_connect(int $seconds, int $answer): ?mysqli
{
    mysqli_report(MYSQLI_REPORT_OFF);
    $database = mysqli_init();
    $database->options(MYSQLI_OPT_CONNECT_TIMEOUT, $seconds);
    $database->options(MYSQLI_OPT_READ_TIMEOUT, $answer);
    ['host' => $host, 'port' => $port] = siteforge_site()['database'];
    $connected = @$database->real_connect(
        $host,
        siteforge_value('WORDPRESS_DB_USER'),
        siteforge_value('WORDPRESS_DB_PASSWORD'),
        siteforge_value('WORDPRESS_DB_NAME'),
        $port
    );
    return $connected ? $database : null;
}
