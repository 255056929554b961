#include "session/events.hpp"

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
    {'A', kAllEvents},       {'g', kGenericEvent},    {'$', kStringEvent},  {'s', kSetEvent},
    {'h', kHashEvent},       {'x', kExpiredEvent},    {'e', kEvictedEvent}, {'l', kOtherEvents},
    {'z', kOtherEvents},     {'t', kOtherEvents},     {'d', kOtherEvents},  {'n', kNewKeyEvent},
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
    bool of_all = letter.letter != 'A' && (letter.classes & kAllEvents) != 0;
    bool named_twice = letter.classes == kOtherEvents && letter.letter != 'l';
    if ((all && of_all) || named_twice) continue;
    if ((classes & letter.classes) == letter.classes) text += letter.letter;
  }
  return text;
}

}  // namespace meridian::session
