// Completion of command lines in shells: the script of a shell calls the program, which says what
// may come next. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command/command.hpp"

namespace meridian::cli {

// The shells that CompletionScript knows.
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

// What the last of `words`, the words after the program's name, may be completed to. Empty: a file,
// or a word that only the user knows.
std::vector<std::string> Completions(const Command& program, std::span<const std::string> words);

// The script for one of kShells. It calls `PROGRAM kCompleteCommand -- WORD...` for each
// completion.
inline constexpr std::string_view kCompleteCommand = "complete";
std::string CompletionScript(std::string_view shell, std::string_view program);

}  // namespace meridian::cli
