#include "edge/fetch/forwarded_fields.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "edge/fetch/routes.hpp"
#include "wire/http/fields/trace_context.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderFields;
using wire::http::RequestHead;

RequestHead Request(std::initializer_list<wire::http::HeaderField> fields) {
  RequestHead request;
  request.authority = "photos.example:8080";
  for (const auto& field : fields) request.fields.Add(field.name, field.value);
  return request;
}

const Endpoint kPeer{IpAddress::V4(198, 51, 100, 7), 40000};
const wire::http::RequestIds kIds = [] {
  Random random(1);
  return wire::http::RequestIds({}, random);
}();

TEST(ForwardedFields, HaveTheVisitorsAddressSchemeAndHost) {
  RequestHead request = Request({{"Accept", "*/*"}});
  ForwardedFields forwarded(request, {.peer = kPeer, .https = true, .ids = kIds});
  const HeaderFields& fields = forwarded.fields();
  EXPECT_EQ(fields.Find("Accept"), "*/*");
  EXPECT_EQ(fields.Find("X-Forwarded-For"), "198.51.100.7");
  EXPECT_EQ(fields.Find("X-Forwarded-Proto"), "https");
  EXPECT_EQ(fields.Find("X-Forwarded-Host"), "photos.example:8080");
  EXPECT_EQ(CountEdges(*fields.Find("Via")), 1);
}

TEST(ForwardedFields, MaxForwardsOfTraceAndOptionsWasNotCountedDown) {
  RequestHead request = Request({{"Max-Forwards", "2"}});
  EXPECT_EQ(MaxForwards(request), std::nullopt);
  EXPECT_EQ(ForwardedFields(request, {.peer = kPeer, .ids = kIds}).fields().Find("Max-Forwards"),
            "2");
  for (std::string_view method : {"OPTIONS", "TRACE"}) {
    request.method = method;
    EXPECT_EQ(MaxForwards(request), 2U);
    EXPECT_EQ(ForwardedFields(request, {.peer = kPeer, .ids = kIds}).fields().Find("Max-Forwards"),
              "1");
  }
  for (std::string_view nonsense : {"", "-1", "1x", "99999999999999999999"}) {
    RequestHead other = Request({{"Max-Forwards", nonsense}});
    other.method = "OPTIONS";
    EXPECT_EQ(MaxForwards(other), std::nullopt) << nonsense;
  }
}

TEST(ForwardedFields, ForwardedFieldsOfVisitorsAreDropped) {
  RequestHead request = Request({{"x-forwarded-for", "10.0.0.1"},
                                 {"X-Forwarded-Host", "evil.example"},
                                 {"X-Forwarded-Proto", "https"},
                                 {"X-Real-Ip", "10.0.0.1"},
                                 {"Forwarded", "for=10.0.0.1"},
                                 {"Meridian-Debug", "1"},
                                 {"Meridian-Path", "edge=10.0.0.1"},
                                 {"Meridian-Unavailable", "10.0.0.1"}});
  ForwardedFields forwarded(request, {.peer = kPeer, .ids = kIds});
  const HeaderFields& fields = forwarded.fields();
  for (const auto& field : fields) {
    EXPECT_EQ(field.value.find("10.0.0.1"), field.value.npos) << field.name;
  }
  EXPECT_EQ(fields.Count("X-Forwarded-For"), 1u);
  EXPECT_EQ(fields.Find("X-Forwarded-Host"), "photos.example:8080");
  EXPECT_EQ(fields.Find("X-Forwarded-Proto"), "http");
  EXPECT_FALSE(fields.Has("Meridian-Debug"));
}

TEST(ForwardedFields, LookAlikesOfTheEdgesFieldsReachedTheApplication) {
  RequestHead request = Request({{"X_Forwarded_For", "6.6.6.6"},
                                 {"X_Forwarded_Host", "evil.test"},
                                 {"True-Client-IP", "6.6.6.6"},
                                 {"Api_Key", "1"},
                                 {"X-Api-Key", "2"}});
  for (bool underscores : {false, true}) {
    ForwardedFields forwarded(request, {.peer = kPeer, .underscores = underscores, .ids = kIds});
    EXPECT_EQ(forwarded.fields().size(), underscores ? 8U : 7U);
    EXPECT_EQ(forwarded.fields().Has("Api_Key"), underscores);
    EXPECT_TRUE(forwarded.fields().Has("X-Api-Key"));
  }
}

TEST(ForwardedFields, IdsComeFromTheEdgeAlone) {
  RequestHead request = Request({{"X-Request-Id", "bad id"},
                                 {"X_Request_Id", "look-alike"},
                                 {"traceparent", "nonsense"},
                                 {"tracestate", "a=1"}});
  Random random(2);
  const wire::http::RequestIds ids(request, random);
  ForwardedFields forwarded(request, {.peer = kPeer, .underscores = true, .ids = ids});
  const HeaderFields& fields = forwarded.fields();
  EXPECT_EQ(fields.Find("X-Request-Id"), ids.request_id());
  EXPECT_EQ(fields.Count("X-Request-Id"), 1U);
  EXPECT_EQ(fields.Find("traceparent"), ids.traceparent());
  EXPECT_EQ(fields.Count("traceparent"), 1U);
  EXPECT_FALSE(fields.Has("X_Request_Id"));
  EXPECT_FALSE(fields.Has("tracestate"));
}

TEST(ForwardedFields, CookiesAreDroppedAtTheCdnsHost) {
  RequestHead request;
  request.fields.Add("cookie", "sid=1");
  request.fields.Add("Accept", "image/avif");
  for (bool without : {false, true}) {
    ForwardedFields forwarded(request, {.peer = kPeer, .without_cookies = without, .ids = kIds});
    EXPECT_EQ(forwarded.fields().Has("Cookie"), !without);
    EXPECT_TRUE(forwarded.fields().Has("Accept"));
  }
}

TEST(ForwardedFields, TheDebugFieldIsPassedOnForAllowedVisitors) {
  RequestHead request = Request({{"Meridian-Debug", "1"}});
  ForwardedFields forwarded(request, {.peer = kPeer, .debug = true, .ids = kIds});
  EXPECT_EQ(forwarded.fields().Count("Meridian-Debug"), 1u);
}

TEST(ForwardedFields, ViaNamesTheVersionThatTheRequestCameIn) {
  for (int minor : {0, 1}) {
    RequestHead request = Request({});
    request.minor_version = minor;
    EXPECT_EQ(ForwardedFields(request, {.peer = kPeer, .ids = kIds}).fields().Find("Via"),
              ViaEntry(minor));
  }
  EXPECT_EQ(ViaEntry(0), "1.0 meridian-edge");
}

TEST(ForwardedFields, OlderViaEntriesStayInFront) {
  RequestHead request = Request({{"Via", "1.1 meridian-edge"}});
  ForwardedFields forwarded(request, {.peer = kPeer, .ids = kIds});
  int edges = 0;
  forwarded.fields().ForEach("Via", [&](std::string_view via) { edges += CountEdges(via); });
  EXPECT_EQ(edges, 2);
}

}  // namespace
}  // namespace meridian::edge
