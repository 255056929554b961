#include "agent/admin/engine_route.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "agent/engines/engine_access.hpp"

namespace meridian::agent {
namespace {

// What Prometheus answers to POST as it does to GET, for queries that are too long for a URL.
constexpr std::string_view kQueries[] = {
    "/api/v1/query",  "/api/v1/query_range",  "/api/v1/query_exemplars", "/api/v1/series",
    "/api/v1/labels", "/api/v1/format_query", "/api/v1/parse_query"};
// Alertmanager: a person silences alerts, or tries the receivers out.
constexpr std::string_view kOrders[] = {"/api/v2/silences", "/api/v2/alerts"};
constexpr std::string_view kSilence = "/api/v2/silence";
// Of either engine, whatever its own settings and the method are.
constexpr std::string_view kNeverForwarded[] = {"/-/quit",       "/-/reload",     "/debug",
                                                "/api/v1/admin", "/api/v1/write", "/api/v1/read"};

bool IsWithin(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return path.empty() || path.front() == '/';
}

// Has no escapes, no empty segment but the last, and no "." or "..": no page of an engine needs
// them, and nothing is left to decode or to resolve differently.
bool IsPlain(std::string_view path) {
  if (path.find_first_of("%\\") != std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment == "." || segment == ".." || (segment.empty() && !path.empty())) return false;
  }
  return true;
}

EngineRoute RouteWithin(Engine engine, std::string_view method, std::string_view path) {
  auto is = [&](std::string_view each) { return path == each; };
  if (std::ranges::any_of(kNeverForwarded, [&](auto each) { return IsWithin(path, each); })) {
    return EngineRoute::kNotThrough;
  }
  if (method == "GET" || method == "HEAD") return EngineRoute::kForward;
  const bool is_alertmanager = engine == Engine::kAlertmanager;
  if (method == "DELETE" && is_alertmanager && IsWithin(path, kSilence)) {
    return EngineRoute::kForward;
  }
  if (method != "POST") return EngineRoute::kNoMethod;
  const bool known =
      is_alertmanager ? std::ranges::any_of(kOrders, is) : std::ranges::any_of(kQueries, is);
  return known ? EngineRoute::kForward : EngineRoute::kNoMethod;
}

std::optional<Engine> EngineOf(std::string_view path) {
  if (IsWithin(path, kPrometheusPath)) return Engine::kPrometheus;
  if (IsWithin(path, kAlertmanagerPath)) return Engine::kAlertmanager;
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(Engine engine) {
  return engine == Engine::kPrometheus ? "prometheus" : "alertmanager";
}

EngineDecision RouteToEngine(std::string_view method, std::string_view path) {
  const std::optional<Engine> engine = EngineOf(path);
  if (!engine) return {};
  if (!IsPlain(path)) return {.route = EngineRoute::kBadPath, .engine = *engine};
  path.remove_prefix(1 + NameOf(*engine).size());
  return {.route = RouteWithin(*engine, method, path), .engine = *engine};
}

}  // namespace meridian::agent
