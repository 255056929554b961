"""Fields that a real WSGI application takes for those that only Meridian may say: they must reach nobody, whoever sends them."""

import pytest

from edge_under_test import Edge
from http_connection import HttpConnection
from site_under_test import ROOT, Site
from wsgi_app import WsgiOrigin

pytestmark = pytest.mark.covers("edge", "balancer", "wire", "http")

EVIL = "evil.test"
LOOK_ALIKES = ["X_Forwarded_For", "X_Forwarded_Host", "x_forwarded_proto", "X-Forwarded_Host", "X__Forwarded__Host", "X-_Forwarded-Host",
               "X_-FORWARDED_-host", "X_Original_URL", "X_HTTP_METHOD_OVERRIDE", "Accept_Encoding", "X_Real_Ip", "_X_Forwarded_Host"]
OVERRIDES = ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-For",
             "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Server", "X-Forwarded-Port", "X-Forwarded-Scheme",
             "X-Forwarded-Ssl", "X-Forwarded-Proto", "Front-End-Https", "X-Url-Scheme", "X-Envoy-Original-Path", "X-Host", "X-Original-Host",
             "X-ProxyUser-Ip", "Proxy", "Forwarded", "True-Client-IP", "X-Client-IP", "X-Real-IP", "CF-Connecting-IP", "Fastly-Client-IP",
             "X-Cluster-Client-IP", "Client-IP"]


def ask(address, port, target, *fields):
    with HttpConnection(address, port) as connection:
        connection.request("GET", target, *fields, "Connection: close")
        response = connection.response()
        assert response.status == 200
        return response


@pytest.fixture(scope="module")
def edge():
    with WsgiOrigin() as origin, Edge(origin=origin) as edge:
        yield edge


@pytest.fixture(scope="module")
def site():
    """Where harmless names with underscores may pass."""
    app = f'command = ["/usr/bin/python3", "{ROOT}/test/support/wsgi_app.py"]\nhealth = "/"'
    with Site(data_centers=("us-east",), app=app, instances=1, extra="\n[edge]\nunderscores = true\n") as site:
        yield site


@pytest.mark.parametrize("name", [*LOOK_ALIKES, *OVERRIDES])
def test_a_field_that_wsgi_takes_for_one_of_ours_poisoned_what_others_got(edge, name):
    target = f"/{name}"
    attacked = ask(edge.address, edge.port, target, f"{name}: {EVIL}")
    assert EVIL.encode() not in attacked.body
    victim = ask(edge.address, edge.port, target)
    assert EVIL.encode() not in victim.body
    assert b"HTTP_X_FORWARDED_HOST=photos.example\n" in victim.body and b"HTTP_X_FORWARDED_FOR=127.0.0.1\n" in victim.body


def test_names_with_underscores_are_dropped(edge):
    assert b"HTTP_API_KEY" not in ask(edge.address, edge.port, "/key", "Api_Key: 1").body
    assert b"HTTP_API_KEY=1" in ask(edge.address, edge.port, "/other-key", "Api-Key: 1").body


@pytest.mark.parametrize("name", [*LOOK_ALIKES, *OVERRIDES])
def test_where_underscores_may_pass_look_alikes_may_not(site, name):
    address = site.addresses["us-east"]
    for target in (f"/{name}", f"/{name}"):
        told = ask(address, 8080, target, f"{name}: {EVIL}", "Api_Key: 1").body
        assert EVIL.encode() not in told and b"HTTP_API_KEY=1" in told
    assert EVIL.encode() not in ask(address, 8080, f"/{name}").body


@pytest.mark.parametrize("name", [*LOOK_ALIKES, *OVERRIDES])
def test_a_visitor_at_the_balancer_itself_passed_for_another(site, name):
    told = ask(site.addresses["us-east"], 8000, "/", f"{name}: {EVIL}", "Api_Key: 1").body
    assert EVIL.encode() not in told and b"HTTP_API_KEY" not in told
    assert b"HTTP_X_FORWARDED_FOR=127.0.0.1\n" in told and b"HTTP_X_FORWARDED_HOST=photos.example\n" in told


def test_a_look_alike_of_a_field_in_vary_chose_what_others_got(site):
    address = site.addresses["us-east"]
    assert b"HTTP_X_DEVICE=phone" in ask(address, 8080, "/by-device", "X_Device: phone").body
    assert b"HTTP_X_DEVICE" not in ask(address, 8080, "/by-device").body
