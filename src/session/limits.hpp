// The limits of the session tier.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::session {}  // namespace meridian::session
