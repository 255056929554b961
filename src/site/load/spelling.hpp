// Finds the known word that is nearest to a misspelt word, for error messages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace meridian::site {

// The number of letters to insert, remove, replace or swap with their neighbour that turns `a` into
// `b` (optimal string alignment), letter case ignored. Words longer than 64 bytes are compared by
// their first 64.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that the author most likely meant by `word`: at most a third of its letters are
// wrong, or one of the two words is a prefix of the other (`health_path`, `health`).
std::optional<std::string> Nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace meridian::site
