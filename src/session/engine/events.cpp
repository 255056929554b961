#include "session/engine/events.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::session {
namespace {

struct Letter {
  char letter;
  uint32_t classes;
};
constexpr Letter kLetters[] = {
    {'A', kAllEvents},       {'g', kGenericEvent},    {'$', kStringEvent}, {'l', kListEvent},
    {'s', kSetEvent},        {'h', kHashEvent},       {'z', kZsetEvent},   {'x', kExpiredEvent},
    {'e', kEvictedEvent},    {'t', kStreamEvent},     {'d', kModuleEvent}, {'n', kNewKeyEvent},
    {'K', kKeyspaceChannel}, {'E', kKeyeventChannel}, {'m', kMissEvent},
};

}  // namespace

std::optional<uint32_t> ParseEventClasses(std::string_view letters) {
  uint32_t classes = 0;
  for (char c : letters) {
    const Letter* found = nullptr;
    for (const Letter& letter : kLetters) {
      if (letter.letter == c) found = &letter;
    }
    if (found == nullptr) return std::nullopt;
    classes |= found->classes;
  }
  return classes;
}

std::string EventClassesText(uint32_t classes) {
  std::string text;
  bool all = (classes & kAllEvents) == kAllEvents;
  for (const Letter& letter : kLetters) {
    bool in_all = letter.letter != 'A' && (letter.classes & (kAllEvents | kNewKeyEvent)) != 0;
    if (all && in_all) continue;
    if ((classes & letter.classes) == letter.classes) text += letter.letter;
  }
  return text;
}

}  // namespace meridian::session
