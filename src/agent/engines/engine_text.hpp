// The text of the engines' configuration files: JSON behind a comment, and so YAML (YAML 1.2, 1.3),
// in which every text is quoted, whatever is in it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meridian::agent {

// Of the JSON writer, for people who read these files.
inline constexpr size_t kEngineTextIndent = 2;

// `comment` is one line without its newline, or empty. Characters that JSON allows within its
// texts, and that YAML takes as an end of line or refuses (U+007F to U+009F, U+2028, U+2029,
// U+FEFF, U+FFFE, U+FFFF), are escaped.
std::string EngineText(std::string_view comment, std::string_view json);

// The comment in the files that the agent writes.
inline constexpr std::string_view kEngineComment =
    "Meridian's agent writes this file, and writes it again when something changes.";

}  // namespace meridian::agent
