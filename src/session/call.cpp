#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "session/command.hpp"
#include "session/engine.hpp"
#include "session/events.hpp"
#include "session/keyspace.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

constexpr size_t kQuotedBytes = 128;  // of what a client sent, in an error

}  // namespace

bool EqualsIgnoringCase(std::string_view text, std::string_view other) {
  if (text.size() != other.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Lower(text[i]) != Lower(other[i])) return false;
  }
  return true;
}

Keyspace& Call::keyspace() const { return engine.keyspace(); }

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

void Call::UnknownSubcommand() const {
  std::string upper(command);
  for (char& c : upper) c = Upper(c);
  reply.Error("ERR unknown subcommand '" + std::string(arguments[1].substr(0, kQuotedBytes)) +
              "'. Try " + upper + " HELP.");
}

void Call::InvalidExpireTime() const {
  reply.Error("ERR invalid expire time in '" + std::string(command) + "' command");
}

void Call::Notify(EventClass event_class, std::string_view event, std::string_view key) const {
  engine.Notify(event_class, event, key);
}

}  // namespace meridian::session
