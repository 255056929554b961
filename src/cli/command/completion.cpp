#include "cli/command/completion.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/check.hpp"
#include "cli/command/command.hpp"

namespace meridian::cli {
namespace {

constexpr std::string_view kBash = R"sh(_{0}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}}
  mapfile -t COMPREPLY < <(compgen -W "$("$1" {1} -- "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)" -- "$word")
}}
complete -o default -F _{0} {0}
)sh";

constexpr std::string_view kZsh = R"sh(#compdef {0}
_{0}() {{
  local -a found
  found=(${{(f)"$("${{words[1]}}" {1} -- "${{(@)words[2,CURRENT]}}" 2>/dev/null)"}})
  if (( $#found )); then compadd -- $found; else _files; fi
}}
compdef _{0} {0}
)sh";

constexpr std::string_view kFish =
    R"sh(complete -c {0} -a '({0} {1} -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)sh";

const Option* FindOption(const Command& command, std::string_view name) {
  auto found = std::ranges::find(command.options, name, &Option::name);
  return found == command.options.end() ? nullptr : &*found;
}

bool TakesValue(const Option& option) { return !std::holds_alternative<bool*>(option.value); }

// Completes the last value of an option with several values: "dns,ed" to "dns,edge".
std::vector<std::string> Values(const Option& option, std::string_view word) {
  std::string before;
  if (option.separator) before = word.substr(0, word.rfind(*option.separator) + 1);
  std::vector<std::string> values;
  for (const std::string& value : option.one_of) values.push_back(before + value);
  return values;
}

std::vector<std::string> Options(const Command& command) {
  std::vector<std::string> names;
  for (const Option& option : command.options) {
    if (!option.hidden && option.name.starts_with('-')) names.push_back(option.name);
  }
  names.emplace_back("--help");
  if (!command.version.empty()) names.emplace_back("--version");
  return names;
}

std::vector<std::string> Subcommands(const Command& command) {
  std::vector<std::string> names;
  for (const Command& subcommand : command.subcommands) {
    if (!subcommand.hidden) names.push_back(subcommand.name);
  }
  return names;
}

// The allowed words of positional arguments, if known.
std::vector<std::string> Positionals(const Command& command) {
  for (const Option& option : command.options) {
    if (!option.name.starts_with('-') && !option.one_of.empty()) return option.one_of;
  }
  return {};
}

}  // namespace

std::vector<std::string> Completions(const Command& program, std::span<const std::string> words) {
  if (words.empty()) return Subcommands(program);
  const std::string& last = words.back();
  const Command* command = &program;
  const Option* awaits_value = nullptr;
  for (const std::string& word : words.first(words.size() - 1)) {
    const Option* option = awaits_value == nullptr ? FindOption(*command, word) : nullptr;
    bool was_value = awaits_value != nullptr;
    awaits_value = option != nullptr && TakesValue(*option) ? option : nullptr;
    auto next = std::ranges::find(command->subcommands, word, &Command::name);
    if (!was_value && next != command->subcommands.end()) command = &*next;
  }
  std::vector<std::string> candidates;
  if (awaits_value != nullptr) {
    candidates = Values(*awaits_value, last);
  } else if (last.starts_with('-')) {
    candidates = Options(*command);
  } else {
    candidates = command->subcommands.empty() ? Positionals(*command) : Subcommands(*command);
  }
  std::erase_if(candidates, [&](const std::string& each) { return !each.starts_with(last); });
  return candidates;
}

std::string CompletionScript(std::string_view shell, std::string_view program) {
  if (shell == "bash") return fmt::format(kBash, program, kCompleteCommand);
  if (shell == "zsh") return fmt::format(kZsh, program, kCompleteCommand);
  CHECK(shell == "fish");
  return fmt::format(kFish, program, kCompleteCommand);
}

}  // namespace meridian::cli
