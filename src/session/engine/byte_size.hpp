// Sizes of memory as people write them: "100mb". Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace meridian::session {

// Bytes, with kb, mb, gb (powers of 1024) or k, m, g (of 1000) behind them, in any case.
std::optional<size_t> ParseByteSize(std::string_view text);

}  // namespace meridian::session
