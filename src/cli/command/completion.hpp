// Completion of command lines in shells: the shell's script calls the program, which prints the
// possible next words. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command/command.hpp"

namespace meridian::cli {

// The shells that CompletionScript knows.
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

// The completions of the last of `words`, which are the words after the program's name. Empty: a
// file name, or a word that only the user knows.
std::vector<std::string> Completions(const Command& program, std::span<const std::string> words);

// The script for one of kShells. It calls `PROGRAM kCompleteCommand -- WORD...` for each
// completion.
inline constexpr std::string_view kCompleteCommand = "complete";
std::string CompletionScript(std::string_view shell, std::string_view program);

}  // namespace meridian::cli
