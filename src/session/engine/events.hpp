// Keyspace events: which are published (notify-keyspace-events), and under which names. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::session {

// The classes of events and the two kinds of channels, as bits.
enum EventClass : uint32_t {
  kKeyspaceChannel = 1U << 0,  // K  __keyspace@0__:key   event
  kKeyeventChannel = 1U << 1,  // E  __keyevent@0__:event key
  kGenericEvent = 1U << 2,     // g
  kStringEvent = 1U << 3,      // $
  kSetEvent = 1U << 4,         // s
  kHashEvent = 1U << 5,        // h
  kExpiredEvent = 1U << 6,     // x
  kEvictedEvent = 1U << 7,     // e
  kNewKeyEvent = 1U << 8,      // n, not in A
  kMissEvent = 1U << 9,        // m, not in A
  // Of types that are not here: they are shown as they were set.
  kListEvent = 1U << 10,    // l
  kZsetEvent = 1U << 11,    // z
  kStreamEvent = 1U << 12,  // t
  kModuleEvent = 1U << 13,  // d
};
constexpr uint32_t kAllEvents = kGenericEvent | kStringEvent | kListEvent | kSetEvent | kHashEvent |
                                kZsetEvent | kExpiredEvent | kEvictedEvent | kStreamEvent |
                                kModuleEvent;

// Nothing: a letter is unknown.
std::optional<uint32_t> ParseEventClasses(std::string_view letters);
// In the order in which Redis 7.0 writes them. "A" stands for its classes; Redis does not write "n"
// beside it.
std::string EventClassesText(uint32_t classes);

}  // namespace meridian::session
