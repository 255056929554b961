// CHECK: an invariant that only a bug can break. Always on, in every build.
//
// Never CHECK input from outside (a peer, a file, the environment): return an Error instead.
#pragma once

namespace meridian {

// Prints `file:line: CHECK failed: condition` to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition) noexcept;

}  // namespace meridian

#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) [[unlikely]]                             \
      ::meridian::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
