// Decides which requests of people are forwarded to an engine: what its own pages use, and clients
// that only ask. Nobody stops an engine, or writes series to it, through here. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::agent {

enum class Engine : uint8_t { kPrometheus, kAlertmanager };

// "prometheus", "alertmanager".
std::string_view NameOf(Engine engine);

enum class EngineRoute : uint8_t {
  kElsewhere,   // the path is not under /prometheus or /alertmanager
  kForward,     // to `engine`
  kBadPath,     // in a spelling that two programs could read differently: 400
  kNoMethod,    // 405
  kNotThrough,  // a path of the engine that is not served here: 403
};

struct EngineDecision {
  EngineRoute route = EngineRoute::kElsewhere;
  Engine engine = Engine::kPrometheus;  // unless kElsewhere
};

// `path` as received, without its query.
EngineDecision RouteToEngine(std::string_view method, std::string_view path);

}  // namespace meridian::agent
