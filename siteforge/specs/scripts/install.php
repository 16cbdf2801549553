<?php
/**
 * Installs the site, once, before a pod of it starts. Every pod runs this first; a lock in the database
 * lets one through at a time, so that replicas and restarts find the work done.
 *
 * A core that wants another schema of the database gets it here, before any visitor gets to the new core; pods of the old
 * one still serve meanwhile, as they do while a person clicks "Update WordPress Database".
 *
 * The catalogue's title and address and the administrator's derived password are applied when they
 * change, and left alone while they do not: what the owner changes in wp-admin stays.
 */
require __DIR__ . '/site.php';

const SITEFORGE_DEADLINE_SECONDS = 600;
const SITEFORGE_STATE = 'siteforge_applied';

function siteforge_say(string $text): void
{
    fwrite(STDERR, "siteforge: $text\n");
}

function siteforge_fail(string $text): never
{
    siteforge_say($text);
    exit(1);
}

/** A connection that holds the lock until this script ends. */
function siteforge_lock(int $deadline): mysqli
{
    $host = siteforge_site()['database']['host'];
    $waiting = false;
    while (!$database = siteforge_connect(5, SITEFORGE_DEADLINE_SECONDS + 60)) {
        if (time() > $deadline) {
            siteforge_fail("the database at $host did not answer in time: " . mysqli_connect_error());
        }
        if (!$waiting) {
            siteforge_say("waiting for the database at $host: " . mysqli_connect_error());
            $waiting = true;
        }
        usleep(500_000);
    }
    $wait = max(1, $deadline - time());
    $locked = $database->query("SELECT GET_LOCK('siteforge-install', $wait)");
    if (!$locked || $locked->fetch_row()[0] !== '1') {
        siteforge_fail('another pod has been installing the site for too long');
    }
    return $database;
}

/** The core's own update of the database, if it wants one: what wp-admin/upgrade.php does. */
function siteforge_update(): void
{
    $wanted = (int) $GLOBALS['wp_db_version'];
    $found = (int) get_option('db_version');
    if ($found > $wanted) {
        siteforge_say("the database is of version $found, this older core's is $wanted: it is left as it is");
        return;
    }
    if ($found === $wanted) {
        return;
    }
    siteforge_say("updating the database from version $found to $wanted");
    wp_upgrade();
    wp_cache_flush();
    if ((int) get_option('db_version') !== $wanted) {
        siteforge_fail("the database could not be updated from version $found to $wanted");
    }
}

$siteforge_lock = siteforge_lock(time() + SITEFORGE_DEADLINE_SECONDS);

// Installing means that WordPress loads no plugin and no theme: no code of the site runs here.
define('WP_INSTALLING', true);
/** No mail from here; WordPress would send the new administrator one. */
function wp_new_blog_notification(...$ignored): void
{
}
require '/usr/src/wordpress/wp-config-docker.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
// Nothing is reachable yet that an installation could ask over HTTP.
add_filter('pre_http_request', fn() => new WP_Error('siteforge', 'no HTTP while installing'));

$siteforge_wanted = [
    'title' => siteforge_value('SITEFORGE_TITLE'),
    'email' => siteforge_value('SITEFORGE_ADMIN_EMAIL'),
    // Of 144 random bits, a plain hash tells nothing.
    'password' => hash('sha256', siteforge_value('SITEFORGE_ADMIN_PASSWORD')),
];
$siteforge_admin = siteforge_value('SITEFORGE_ADMIN_USER');
$siteforge_applied = is_blog_installed() ? get_option(SITEFORGE_STATE) : false;

if (!is_array($siteforge_applied)) {
    // Not installed, or killed on the way: an installation that got as far as a user is complete enough.
    if (!is_blog_installed() || count_users()['total_users'] === 0) {
        siteforge_say('installing the site');
        wp_install(
            wp_slash($siteforge_wanted['title']),
            $siteforge_admin,
            $siteforge_wanted['email'],
            true,
            '',
            wp_slash(siteforge_value('SITEFORGE_ADMIN_PASSWORD'))
        );
        if (is_file('/usr/src/wordpress/.htaccess')) {
            update_option('permalink_structure', '/%year%/%monthnum%/%day%/%postname%/');
            delete_option('rewrite_rules');
        }
    }
    $siteforge_applied = [];
}
$siteforge_user = get_user_by('login', $siteforge_admin);
if (($siteforge_applied['title'] ?? null) !== $siteforge_wanted['title']) {
    siteforge_say('setting the title');
    update_option('blogname', $siteforge_wanted['title']);
}
if (($siteforge_applied['email'] ?? null) !== $siteforge_wanted['email']) {
    siteforge_say('setting the administrator\'s address');
    update_option('admin_email', $siteforge_wanted['email']);
    if ($siteforge_user) {
        wp_update_user(['ID' => $siteforge_user->ID, 'user_email' => $siteforge_wanted['email']]);
    }
}
// Not if nothing was applied before: then it was set by the installation, or is somebody's own.
if ($siteforge_user && ($siteforge_applied['password'] ?? $siteforge_wanted['password']) !== $siteforge_wanted['password']) {
    siteforge_say('setting the administrator\'s password');
    wp_set_password(siteforge_value('SITEFORGE_ADMIN_PASSWORD'), $siteforge_user->ID);
}
if ($siteforge_applied !== $siteforge_wanted) {
    update_option(SITEFORGE_STATE, $siteforge_wanted, false);
}
siteforge_update();
siteforge_say('the site is installed');
