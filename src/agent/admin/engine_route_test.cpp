#include "agent/admin/engine_route.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

using enum EngineRoute;

EngineRoute Route(std::string_view method, std::string_view path) {
  return RouteToEngine(method, path).route;
}

TEST(EngineRoute, OnlyPathsUnderTheNameOfAnEngineAreIts) {
  for (const char* path : {"", "*", "/", "/prometheusx", "/prometheus.html", "/Prometheus/",
                           "//prometheus/", "/%70rometheus/", "/x/prometheus/"}) {
    EXPECT_EQ(Route("GET", path), kElsewhere) << path;
  }
  for (const char* path : {"/prometheus", "/prometheus/", "/prometheus/graph"}) {
    EXPECT_EQ(Route("GET", path), kForward) << path;
    EXPECT_EQ(RouteToEngine("GET", path).engine, Engine::kPrometheus) << path;
  }
  EXPECT_EQ(RouteToEngine("GET", "/alertmanager/").engine, Engine::kAlertmanager);
}

TEST(EngineRoute, RequestsOfThePagesAreForwarded) {
  for (const char* path :
       {"/prometheus/api/v1/query", "/prometheus/api/v1/label/__name__/values",
        "/prometheus/static/js/main.1a.js", "/prometheus/federate", "/alertmanager/script.js"}) {
    EXPECT_EQ(Route("GET", path), kForward) << path;
    EXPECT_EQ(Route("HEAD", path), kForward) << path;
  }
  for (const char* path : {"/prometheus/api/v1/query_range", "/prometheus/api/v1/series",
                           "/alertmanager/api/v2/silences", "/alertmanager/api/v2/alerts"}) {
    EXPECT_EQ(Route("POST", path), kForward) << path;
  }
  EXPECT_EQ(Route("DELETE", "/alertmanager/api/v2/silence/0a-1b"), kForward);
}

TEST(EngineRoute, NobodyStopsAnEngineOrWritesSeriesToIt) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE"}) {
    for (const char* path : {"/-/quit", "/-/reload", "/-/quit/", "/api/v1/admin/tsdb/delete_series",
                             "/api/v1/write", "/api/v1/read", "/debug/pprof/heap", "/debug"}) {
      EXPECT_EQ(Route(method, "/prometheus" + std::string(path)), kNotThrough) << path;
      EXPECT_EQ(Route(method, "/alertmanager" + std::string(path)), kNotThrough) << path;
    }
  }
}

TEST(EngineRoute, OtherMethodsAreRefused) {
  for (const char* method : {"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"}) {
    EXPECT_EQ(Route(method, "/prometheus/api/v1/query"), kNoMethod) << method;
  }
  EXPECT_EQ(Route("POST", "/prometheus/federate"), kNoMethod);
  EXPECT_EQ(Route("POST", "/prometheus/api/v2/silences"), kNoMethod);
  EXPECT_EQ(Route("POST", "/alertmanager/api/v1/query"), kNoMethod);
  EXPECT_EQ(Route("DELETE", "/prometheus/api/v2/silence/1"), kNoMethod);
}

TEST(EngineRoute, APathThatCouldMeanAnotherIsRefused) {
  for (const char* path :
       {"/prometheus/%2d/quit", "/prometheus/-%2Fquit", "/prometheus/x/../-/quit",
        "/prometheus/./-/quit", "/prometheus//-/quit", "/prometheus/../alertmanager/-/reload",
        "/prometheus/..", "/prometheus/.", "/prometheus/\\..\\-\\quit", "/prometheus/%2e%2e/",
        "/alertmanager/%00"}) {
    EXPECT_EQ(Route("GET", path), kBadPath) << path;
    EXPECT_EQ(Route("POST", path), kBadPath) << path;
  }
}

}  // namespace
}  // namespace meridian::agent
