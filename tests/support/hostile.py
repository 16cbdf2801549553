"""Values that end a string, a comment, a line or a tag, wherever they are pasted into source or a command."""

TEXTS = [
    "'",
    '"',
    "\\",
    "\\'",
    "'); die('x'); //",
    '"); die("x"); #',
    "?><?php die(1); ?>",
    "*/ die(1); /*",
    "</script><script>alert(1)</script>",
    "<<<EOT\ndie(1);\nEOT;",
    "${HOME} {$x} $x $$ $",
    "$(WORDPRESS_DB_HOST) $$(WORDPRESS_DB_HOST)",
    "`id` $(id) ; id | id & id",
    "a\nphp_value auto_prepend_file /tmp/x\n",
    "@WORKERS@",
    "%s %d %{HTTP_HOST}",
    "\\u0000 \\x00 \\n",
    "\t",
    "",
    "é 日本 😀",
    "1e3",
    "true",
]
CONSTANTS: dict[str, bool | int | str] = {f"HOSTILE_{number}": text for number, text in enumerate(TEXTS)} | {
    "HOSTILE_TRUE": True,
    "HOSTILE_FALSE": False,
    "HOSTILE_LARGE": 2**63 - 1,
    "HOSTILE_SMALL": -(2**63),
}
