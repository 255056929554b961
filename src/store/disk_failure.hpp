// How a process ends when its disk has failed.
#pragma once

#include <functional>

#include "base/result.hpp"

namespace meridian::store {

// Must not return in a program. In a simulation it returns, and its caller fails from then on.
using OnDiskFailure = std::function<void(const Error&)>;

// Logs the error and aborts: no acknowledgement may rest on a file whose sync has failed, and the
// same sync tried again may succeed without having written anything.
[[noreturn]] void EndProcessOnDiskFailure(const Error& error);

}  // namespace meridian::store
