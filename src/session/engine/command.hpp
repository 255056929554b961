// The command table: name, arity, flags, keys and handler of each command. COMMAND, the checks
// before a command, MULTI and the documentation all read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "session/engine/events.hpp"
#include "wire/resp/reply_writer.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {

class Engine;
class Keyspace;
struct Client;

enum CommandFlag : uint32_t {
  kWrite = 1U << 0,
  kReadOnly = 1U << 1,
  kDenyOom = 1U << 2,  // refused when memory is full
  kFast = 1U << 3,     // takes constant time
  kNoAuth = 1U << 4,   // allowed before authentication
  kAtOnce = 1U << 5,   // not queued in a transaction
  kPubSub = 1U << 6,   // allowed in RESP2 after SUBSCRIBE
  kAdmin = 1U << 7,
  kLoading = 1U << 8,      // flags of Redis that clients may read
  kMovableKeys = 1U << 9,  // their count is an argument before the first
  kKeepsKeys = 1U << 10,   // stores the names of keys, as kDenyOom commands do
};

struct Call;
using Handler = void (*)(Call&);

// "CLIENT ID": commands whose second word selects what is done.
struct Subcommand {
  std::string_view name;  // upper case
  int arity = 0;          // with both names; -n: at least n
  Handler handler = nullptr;
  std::string_view usage;  // both for HELP
  std::string_view summary;
};

// One request that is being executed.
struct Call {
  Engine& engine;
  Client& client;
  wire::resp::Arguments arguments;
  wire::resp::ReplyWriter& reply;
  std::string_view command;  // its name in the table

  size_t size() const { return arguments.size(); }
  std::string_view operator[](size_t i) const { return arguments[i]; }
  Keyspace& keyspace() const;
  // Whether the reply may be a Client::long_reply.
  bool MaySpanIterations() const;

  // Reads argument `i`. False: it is no integer, and an error reply was written.
  bool Integer(size_t i, int64_t* value) const;
  // Whether argument `i` is the word, in any case.
  bool Is(size_t i, std::string_view upper_case) const;

  void WrongType() const;
  void SyntaxError() const;
  void NotInteger() const;
  // "ERR wrong number of arguments for 'x' command"
  void WrongCount(std::string_view command_or_subcommand) const;
  // Runs the subcommand that argument 1 names, or HELP; writes an error reply when there is none.
  void Dispatch(std::span<const Subcommand> subcommands);
  // "ERR invalid expire time in 'x' command"
  void InvalidExpireTime() const;
  void Notify(EventClass event_class, std::string_view event, std::string_view key) const;

 private:
  void Help(std::span<const Subcommand> subcommands) const;
};

struct CommandSpec {
  std::string_view name;  // lower case
  int arity = 0;          // with the name; -n: at least n
  uint32_t flags = 0;
  int first_key = 0;  // 0: none
  int last_key = 0;   // -1: the last argument
  int key_step = 0;
  std::string_view group;
  std::string_view since;
  std::string_view summary;
  Handler handler = nullptr;
};

// In alphabetical order.
std::span<const CommandSpec> Commands();
// In any case; null when there is none.
const CommandSpec* FindCommand(std::string_view name);
bool ArityFits(const CommandSpec& spec, size_t arguments);
// The keys of a request of the command, whose arity fits.
std::vector<std::string_view> KeysOf(const CommandSpec& spec, wire::resp::Arguments request);

// ASCII only, as names of commands and options are compared.
bool EqualsIgnoringCase(std::string_view text, std::string_view upper_or_lower);

}  // namespace meridian::session
