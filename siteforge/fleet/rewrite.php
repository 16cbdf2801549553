<?php
/**
 * Gives a site that was restored under another name its own addresses: in every text of its database, those of
 * serialised values among them, whose lengths stay right. Only posts' guid stays, which is an identity and no address.
 *
 * Read from standard input by `php -- '{"old.example.com": "https://new.example.com"}'`: hosts, with port and path where
 * the site had some, and what stands for them. Prints how many values it changed.
 */
require '/opt/siteforge/scripts/site.php';

/** An address in a plain text: as it is, as JSON has it, without its scheme, and encoded. */
function siteforge_plain(string $text, array $hosts): string
{
    // A port and a path are written in as many ways as the scheme before them.
    $written = fn($host) => strtr(preg_quote($host, '~'), ['/' => '(?:/|\\\\/|%2F)', '\\:' => '(?::|%3A)']);
    $names = implode('|', array_map($written, array_keys($hosts)));
    // Neither a part of a longer name, nor that of another port.
    $pattern = "~(?:(https?)(:|%3A))?(//|\\\\/\\\\/|%2F%2F)($names)(?![A-Za-z0-9_-]|\\.[A-Za-z0-9]|:[0-9])~i";
    $address = function (array $found) use ($hosts): string {
        $known = str_replace(['\\/', '%2f', '%3a'], ['/', '/', ':'], strtolower($found[4]));
        [$scheme, $host] = explode('://', $hosts[$known], 2);
        return ($found[1] === '' ? '' : $scheme . $found[2]) . $found[3] . $host;
    };
    return preg_replace_callback($pattern, $address, $text) ?? $text;
}

function siteforge_is_serialised(string $text): bool
{
    // Nothing of it is made: a class would be a name only.
    return preg_match('/^[aOsCE]:[0-9]+:/', $text) && @unserialize($text, ['allowed_classes' => false]) !== false;
}

/** A text, serialised or not, with the addresses replaced. */
function siteforge_rewritten(string $text, array $hosts): string
{
    if (!siteforge_is_serialised($text)) {
        return siteforge_plain($text, $hosts);
    }
    $result = '';
    for ($at = 0; $at < strlen($text);) {
        if (!preg_match('/\G([sOCE]):([0-9]+):"/', $text, $part, 0, $at)) {
            $length = strcspn($text, ';{}', $at) + 1;
            $result .= substr($text, $at, $length);
            $at += $length;
            continue;
        }
        $start = $at + strlen($part[0]);
        $content = substr($text, $start, (int) $part[2]);
        $at = $start + (int) $part[2] + 1;
        if ($part[1] === 's') {
            $content = siteforge_rewritten($content, $hosts);
            $result .= 's:' . strlen($content) . ":\"$content\"";
            continue;
        }
        $result .= "$part[0]$content\"";
        if ($part[1] === 'C' && preg_match('/\G:([0-9]+):\{/', $text, $own, 0, $at)) {
            // A class that writes itself: its form is its own business.
            $length = strlen($own[0]) + (int) $own[1];
            $result .= substr($text, $at, $length);
            $at += $length;
        }
    }
    return $result;
}

/** Rewrites one column of a table; returns how many of its values changed. */
function siteforge_rewrite(mysqli $database, string $table, string $column, array $keys, array $hosts): int
{
    $like = implode(' OR ', array_fill(0, count($hosts), "`$column` LIKE ?"));
    $columns = implode(', ', array_map(fn($key) => "`$key`", [...$keys, $column]));
    $found = $database->prepare("SELECT $columns FROM `$table` WHERE $like");
    $plain = fn($host) => '%' . addcslashes(strtok($host, ':/'), '\\%_') . '%';
    $found->execute(array_map($plain, array_keys($hosts)));
    $rows = $found->get_result()->fetch_all(MYSQLI_NUM);
    // Without a primary key, equal values are all meant.
    $where = implode(' AND ', array_map(fn($key) => "`$key` = ?", $keys ?: ["$column"]));
    $update = $database->prepare("UPDATE `$table` SET `$column` = ? WHERE " . ($keys ? $where : "BINARY $where"));
    $changed = 0;
    foreach ($rows as $row) {
        $old = array_pop($row);
        $new = siteforge_rewritten($old, $hosts);
        if ($new !== $old) {
            $update->execute([$new, ...($keys ? $row : [$old])]);
            $changed++;
        }
    }
    return $changed;
}

$hosts = array_change_key_case(json_decode($argv[1], true, 4, JSON_THROW_ON_ERROR));
// Of two that begin alike, the longer one is meant.
uksort($hosts, fn($one, $other) => strlen($other) <=> strlen($one));
$database = siteforge_connect(10, 3600) ?? throw new RuntimeException((string) mysqli_connect_error());
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$database->set_charset('utf8mb4');
$database->begin_transaction();
$columns = $database->query(
    "SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c JOIN information_schema.TABLES t"
    . " USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE'"
    . " AND c.DATA_TYPE IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext')"
)->fetch_all(MYSQLI_NUM);
$changed = 0;
foreach ($columns as [$table, $column]) {
    $keys = array_column(
        $database->query("SHOW KEYS FROM `$table` WHERE Key_name = 'PRIMARY'")->fetch_all(MYSQLI_ASSOC),
        'Column_name'
    );
    if ($column !== 'guid' && !in_array($column, $keys, true)) {
        $changed += siteforge_rewrite($database, $table, $column, $keys, $hosts);
    }
}
$database->commit();
echo "$changed\n";
