"""A tenant's site, used as its visitors and its owner use it."""

import http.client
import json
import re
import urllib.parse
import xmlrpc.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.commands import kubectl

_ANSWER_SECONDS = 30.0


class _Transport(xmlrpc.client.Transport):
    """HTTP with a deadline: a site that is being broken may never answer."""

    def make_connection(self, host: "xmlrpc.client._HostType") -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = _ANSWER_SECONDS
        return connection


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Site:
    """A tenant's site, reached through its Service."""

    tenant: str
    password: str = ""
    known_address: str = ""
    """The Service's, for a site in another cluster than that of this clone."""

    @property
    def address(self) -> str:
        """The Service's cluster address, which this machine has a route to."""
        if self.known_address:
            return self.known_address
        path = "jsonpath={.spec.clusterIP}"
        return kubectl("get", "service", "wordpress", "-n", self.tenant, "-o", path)

    def get(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        address: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = 20,
    ) -> Answer:
        """GET a path, or ask for it in another way; a redirect is an answer of its own."""
        connection = http.client.HTTPConnection(address or self.address, 80, timeout=timeout)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, answer.read().decode(errors="replace"), headers)
        finally:
            connection.close()

    def serves(self, text: str = "") -> bool:
        """Whether the front page answers 200 and has `text` in it."""
        answer = self.get()
        return answer.status == 200 and text in answer.body

    def title(self) -> str:
        """The title of the front page."""
        found = re.search("<title>(.*?)</title>", self.get().body)
        return found[1] if found else ""

    def post(self, title: str, content: str = "") -> int:
        """Publish a post as the administrator; returns its number once it is acknowledged."""
        server = self._server()
        post = {"post_title": title, "post_content": content or title, "post_status": "publish"}
        return int(str(server.wp.newPost(0, "admin", self.password, post)))

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file as the administrator; returns its path on the site."""
        server = self._server()
        file = {"name": name, "type": "text/plain", "bits": xmlrpc.client.Binary(content)}
        uploaded = server.wp.uploadFile(0, "admin", self.password, file)
        assert isinstance(uploaded, dict)
        return urllib.parse.urlparse(str(uploaded["url"])).path

    def posts(self) -> set[str]:
        """The titles of all published posts."""
        titles: set[str] = set()
        page = pages = 1
        while page <= pages:
            answer = self.get(f"/?rest_route=/wp/v2/posts&_fields=title&per_page=100&page={page}")
            assert answer.status == 200, answer
            titles |= {post["title"]["rendered"] for post in json.loads(answer.body)}
            page, pages = page + 1, int(answer.headers["x-wp-totalpages"])
        return titles

    def users(self) -> Iterator[str]:
        """The logins of all users, asked as the administrator."""
        server = self._server()
        found = server.wp.getUsers(0, "admin", self.password)
        assert isinstance(found, list)
        return (str(user["username"]) for user in found if isinstance(user, dict))

    def _server(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy(f"http://{self.address}/xmlrpc.php", transport=_Transport())
