#include "store/disk_failure.hpp"

#include <cstdlib>

#include "base/log.hpp"
#include "base/result.hpp"

namespace meridian::store {

void EndProcessOnDiskFailure(const Error& error) {
  LOG_ERROR("the disk failed: this process ends, so that nothing is acknowledged that may be lost",
            {"error", error.message});
  std::abort();
}

}  // namespace meridian::store
