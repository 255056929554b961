#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace meridian {

void CheckFailed(const char* file, int line, const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace meridian
