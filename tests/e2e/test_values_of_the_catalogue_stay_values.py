"""A real PHP, in a real pod, says what it got: no value of the catalogue became code on the way."""

import json
from typing import Any

from tests.e2e.conftest import DOMAINS, MAIL_PORT, REACHED
from tests.support.commands import kubectl
from tests.support.hostile import CONSTANTS, TEXTS
from tests.support.stack import Stack

LOAD = f"$_SERVER['HTTP_HOST'] = '{DOMAINS[0]}'; require '/var/www/html/wp-load.php';"


def in_pod(*command: str) -> str:
    return kubectl("exec", "-n", REACHED, "deployment/wordpress", "-c", "wordpress", "--", *command)


def php(code: str) -> Any:
    """What a PHP expression is, with WordPress loaded."""
    return json.loads(in_pod("php", "-r", f"{LOAD} echo json_encode({code});").splitlines()[-1])


def test_constants_have_the_values_and_types_of_the_catalogue(reached_stack: Stack) -> None:
    names = ",".join(f"'{name}'" for name in CONSTANTS)
    found = php(f"array_combine([{names}], array_map('constant', [{names}]))")
    assert {name: (type(value), value) for name, value in found.items()} == {
        name: (type(value), value) for name, value in CONSTANTS.items()
    }


def test_variables_have_the_values_of_the_catalogue(reached_stack: Stack) -> None:
    found = php("array_filter(getenv(), fn($name) => str_starts_with($name, 'HOSTILE_'), ARRAY_FILTER_USE_KEY)")
    assert found == {f"HOSTILE_{number}": text for number, text in enumerate(TEXTS)}


def test_every_script_is_valid_php(reached_stack: Stack) -> None:
    scripts = [f"/opt/siteforge/scripts/{script}.php" for script in ("config", "install", "site")]
    for script in (*scripts, "/var/www/html/siteforge-health.php"):
        assert "No syntax errors" in in_pod("php", "-l", script)


def test_phps_limits_are_those_of_the_catalogue(reached_stack: Stack) -> None:
    names = ["memory_limit", "upload_max_filesize", "post_max_size", "max_execution_time", "max_input_vars"]
    code = f"<?php foreach ({json.dumps(names)} as $name) echo ini_get($name), ' ';"
    # Apache has them, not the command line: it is asked for a page in the folder of the core, which goes with the pod.
    page = "file_put_contents('/var/www/html/limits.php', $argv[1]); echo file_get_contents('http://127.0.0.1/limits.php');"
    answer = in_pod("php", "-r", page, code)
    assert answer.split() == ["200M", "100M", "104M", "77", "5000"]


def test_mail_goes_to_the_declared_server_from_the_declared_address(reached_stack: Stack) -> None:
    server = f"""
        $listening = stream_socket_server('tcp://127.0.0.1:{MAIL_PORT}');
        $peer = stream_socket_accept($listening, 30);
        $data = false;
        fwrite($peer, "220 test\\r\\n");
        while (($line = fgets($peer)) !== false) {{
            echo $line;
            if ($data && rtrim($line) !== '.') continue;
            $data = stripos($line, 'DATA') === 0;
            fwrite($peer, $data ? "354 go on\\r\\n" : "250 done\\r\\n");
        }}
    """
    client = f"{LOAD} sleep(1); wp_mail('aku@example.com', 'Hello from the shop', 'Body');"
    heard = in_pod("sh", "-c", 'php -r "$1" & php -r "$2"; wait', "sh", server, client)
    assert "MAIL FROM:<shop@lumi.example.com>" in heard
    assert "RCPT TO:<aku@example.com>" in heard
    assert "Subject: Hello from the shop" in heard


def test_scheduled_work_is_asked_for_over_the_service_in_the_name_of_the_domain(reached_stack: Stack) -> None:
    request = php("apply_filters('cron_request', ['url' => site_url('wp-cron.php?a=b'), 'args' => []])")
    assert request["url"] == f"http://wordpress.{REACHED}.svc.cluster.local/wp-cron.php?a=b"
    assert request["args"]["headers"] == {"Host": DOMAINS[0]}
