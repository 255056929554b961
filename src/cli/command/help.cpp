#include "cli/command/help.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/core.h>

#include "cli/command/command.hpp"

namespace meridian::cli {
namespace {

constexpr size_t kIndent = 2;

bool IsPositional(const Option& option) { return !option.name.starts_with('-'); }

bool IsFlag(const Option& option) { return std::holds_alternative<bool*>(option.value); }

std::string TypeName(const Option& option) {
  if (!option.type.empty()) return option.type;
  bool is_number =
      std::holds_alternative<int*>(option.value) || std::holds_alternative<uint64_t*>(option.value);
  return is_number ? "N" : "TEXT";
}

// As in the usage line: FILE, [FILE].
std::string Word(const Option& positional) {
  std::string name = positional.type.empty() ? positional.name : positional.type;
  return positional.required ? name : "[" + name + "]";
}

std::string Row(const std::string& name, const std::string& text, size_t column) {
  std::string row = std::string(kIndent, ' ') + name;
  // A long name gets a line of its own.
  if (row.size() + 1 > column) row += "\n" + std::string(column, ' ');
  if (row.size() < column) row.resize(column, ' ');
  return row + text + "\n";
}

std::string OptionRow(const Option& option, size_t column) {
  std::string name = IsPositional(option) ? Word(option) : option.name;
  if (!option.short_name.empty()) name = option.short_name + ", " + name;
  if (!IsPositional(option) && !IsFlag(option)) name += " " + TypeName(option);
  std::string text = option.help;
  if (option.required && !IsPositional(option)) text += " (required)";
  if (!option.default_text.empty()) text += " (" + option.default_text + ")";
  return Row(name, text, column);
}

std::string Usage(const Command& command, std::string_view path) {
  std::string usage = fmt::format("Usage: {} [OPTION]...", path);
  for (const Option& option : command.options) {
    if (IsPositional(option) && !option.hidden) usage += " " + Word(option);
  }
  if (command.subcommands.empty()) return usage + "\n";
  return usage + (command.subcommands_given ? " COMMAND\n" : " [COMMAND]\n");
}

}  // namespace

std::string HelpText(const Command& command, std::string_view path, int column) {
  auto at = static_cast<size_t>(column);
  std::string text = command.summary;
  if (!text.ends_with('.')) text += '.';
  text += "\n\n" + Usage(command, path);
  bool has_commands = !std::ranges::all_of(command.subcommands, &Command::hidden);
  if (has_commands) text += "\nCommands:\n";
  for (const Command& subcommand : command.subcommands) {
    if (!subcommand.hidden) text += Row(subcommand.name, subcommand.summary, at);
  }
  text += "\n";
  for (const Option& option : command.options) {
    if (!option.hidden && IsPositional(option)) text += OptionRow(option, at);
  }
  for (const Option& option : command.options) {
    if (!option.hidden && !IsPositional(option)) text += OptionRow(option, at);
  }
  text += Row("--help", "Print this", at);
  if (!command.version.empty()) text += Row("--version", "Print the version", at);
  if (!command.footer.empty()) text += "\n" + command.footer + "\n";
  return text;
}

}  // namespace meridian::cli
