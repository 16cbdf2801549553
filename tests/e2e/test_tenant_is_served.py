from local import images
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack


def test_a_fresh_tenant_is_served_through_its_service_with_its_title(blog_stack: Stack, site: Site) -> None:
    answer = site.get()
    assert answer.status == 200
    assert "Blog of the tests" in site.title()


def test_it_is_installed_with_its_administrator(site: Site) -> None:
    assert list(site.users()) == ["admin"]
    assert "Hello world!" in site.posts()


def test_the_second_up_is_all_unchanged(blog_stack: Stack) -> None:
    assert set(blog_stack.up().counts) == {"unchanged"}


def test_it_is_all_unchanged_also_after_a_refresh(blog_stack: Stack) -> None:
    assert set(blog_stack.refresh().counts) == {"unchanged"}
    assert set(blog_stack.preview().counts) == {"unchanged"}


VOLUME = {"accessMode": "ReadWriteOnce", "classWritten": False, "size": "1Gi", "storageClass": "local-path"}


def test_the_outputs_say_where_and_how(blog_stack: Stack) -> None:
    assert blog_stack.output("tenants") == {
        "e2e-blog": {
            "namespace": "e2e-blog",
            "service": "wordpress",
            "url": "http://wordpress.e2e-blog.svc.cluster.local",
            "domains": [],
            "reach": "kubectl port-forward --namespace e2e-blog service/wordpress 8080:80",
            "adminUser": "admin",
            "images": {"wordpress": images.WORDPRESS, "mariadb": images.MARIADB},
            "suspended": False,
            "deletionProtection": False,
            "volumes": {"mariadb": VOLUME, "wordpress": VOLUME},
        }
    }
    assert "[secret]" in blog_stack.pulumi("stack", "output", "adminPasswords").stdout


def test_its_url_works_inside_the_cluster(blog_stack: Stack, site: Site) -> None:
    script = "echo file_get_contents($argv[1]);"
    pod = ["exec", "-n", "e2e-blog", "deployment/wordpress", "-c", "wordpress", "--"]
    page = kubectl(*pod, "php", "-r", script, "http://wordpress.e2e-blog.svc.cluster.local/")
    assert "Blog of the tests" in page


def test_every_object_is_owned_by_one_fixed_field_manager(blog_stack: Stack) -> None:
    managers = kubectl(
        "get",
        "deployment,service,resourcequota,statefulset",
        "-n",
        "e2e-blog",
        "--show-managed-fields",
        "-o",
        "jsonpath={.items[*].metadata.managedFields[?(@.operation=='Apply')].manager}",
    )
    assert set(managers.split()) == {"siteforge"}
