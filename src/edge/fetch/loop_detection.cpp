#include "edge/fetch/loop_detection.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "edge/fetch/routes.hpp"
#include "edge/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

std::string LoopId(uint64_t random) { return fmt::format("{}-{:016x}", kViaName, random); }

bool IsLoop(const wire::http::HeaderFields& request, std::string_view own_id) {
  bool signed_here = false;
  request.ForEachElement(kLoopField, [&](std::string_view element) {
    const std::string_view id = wire::http::TrimWhitespace(element.substr(0, element.find(';')));
    signed_here = signed_here || wire::http::EqualsIgnoreCase(id, own_id);
  });
  int passed = 0;
  request.ForEach("Via", [&](std::string_view via) { passed += CountEdges(via); });
  return signed_here || passed >= kMaxEdgesPassed;
}

}  // namespace meridian::edge
