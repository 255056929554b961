// The tags that a response can be purged by: Surrogate-Key (separated by spaces, and by commas
// as a list is) and Cache-Tag (separated by commas). Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "wire/http/message.hpp"

namespace meridian::edge {

// Each tag once, as views into the fields; no tag is empty. Nothing when there are more than
// kMaxTags, or one is longer than kMaxTagBytes.
std::optional<std::vector<std::string_view>> ReadTags(const wire::http::HeaderFields& fields);

}  // namespace meridian::edge
