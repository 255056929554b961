#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/events.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

std::string InUpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = Upper(c);
  return upper;
}

constexpr size_t kQuotedBytes = 128;  // of a client's input, in an error

}  // namespace

bool EqualsIgnoringCase(std::string_view text, std::string_view other) {
  if (text.size() != other.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != Lower(other[i])) return false;
  }
  return true;
}

Keyspace& Call::keyspace() const { return engine.keyspace(); }

bool Call::MaySpanIterations() const {
  return !client.in_exec && client.reply_mode == Client::ReplyMode::kOn;
}

bool Call::Integer(size_t i, int64_t* value) const {
  std::optional<int64_t> number = wire::resp::ParseInteger(arguments[i]);
  if (!number) {
    NotInteger();
    return false;
  }
  *value = *number;
  return true;
}

bool Call::Is(size_t i, std::string_view upper_case) const {
  return EqualsIgnoringCase(arguments[i], upper_case);
}

void Call::WrongType() const {
  reply.Error("WRONGTYPE Operation against a key holding the wrong kind of value");
}

void Call::SyntaxError() const { reply.Error("ERR syntax error"); }

void Call::NotInteger() const { reply.Error("ERR value is not an integer or out of range"); }

void Call::WrongCount(std::string_view name) const {
  reply.Error("ERR wrong number of arguments for '" + std::string(name) + "' command");
}

void Call::Dispatch(std::span<const Subcommand> subcommands) {
  for (const Subcommand& subcommand : subcommands) {
    if (!Is(1, subcommand.name)) continue;
    if (ArityFits({.arity = subcommand.arity}, size())) return subcommand.handler(*this);
    std::string name = std::string(command) + "|";
    for (char c : subcommand.name) name += Lower(c);
    return WrongCount(name);
  }
  if (Is(1, "HELP")) {
    return size() == 2 ? Help(subcommands) : WrongCount(std::string(command) + "|help");
  }
  reply.Error("ERR unknown subcommand '" + std::string(arguments[1].substr(0, kQuotedBytes)) +
              "'. Try " + InUpperCase(command) + " HELP.");
}

void Call::Help(std::span<const Subcommand> subcommands) const {
  reply.Array(1 + 2 * (subcommands.size() + 1));
  reply.SimpleString(InUpperCase(command) +
                     " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  auto line = [&](std::string_view usage, std::string_view summary) {
    reply.SimpleString(usage);
    reply.SimpleString("    " + std::string(summary));
  };
  for (const Subcommand& subcommand : subcommands) line(subcommand.usage, subcommand.summary);
  line("HELP", "Print this help.");
}

void Call::InvalidExpireTime() const {
  reply.Error("ERR invalid expire time in '" + std::string(command) + "' command");
}

void Call::Notify(EventClass event_class, std::string_view event, std::string_view key) const {
  engine.Notify(event_class, event, key);
}

}  // namespace meridian::session
