#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "session/commands/handlers.hpp"
#include "session/engine/command.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

// name, arity, flags, first key, last key, step, group, since, summary, handler
constexpr CommandSpec kCommands[] = {
    {"acl", -2, kLoading, 0, 0, 0, "server", "6.0.0", "Tells of users.", &AclCommand},
    {"append", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "2.0.0",
     "Appends a string to the value of a key. Creates the key if it doesn't exist.", &AppendText},
    {"auth", -2, kFast | kNoAuth | kLoading, 0, 0, 0, "connection", "1.0.0",
     "Authenticates the connection.", &Auth},
    {"client", -2, kFast, 0, 0, 0, "connection", "2.4.0",
     "Tells of connections, names and ends them.", &ClientCommand},
    {"command", -1, kLoading, 0, 0, 0, "server", "2.8.13",
     "Returns detailed information about all commands.", &CommandCommand},
    {"config", -2, kAdmin, 0, 0, 0, "server", "2.0.0", "Reads and changes settings.", &Config},
    {"copy", -3, kWrite | kDenyOom, 1, 2, 1, "generic", "6.2.0",
     "Copies the value of a key to a new key.", &CopyKey},
    {"dbsize", 1, kReadOnly | kFast, 0, 0, 0, "server", "1.0.0",
     "Returns the number of keys in the database.", &DbSize},
    {"decr", 2, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't "
     "exist.",
     &Decr},
    {"decrby", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Decrements a number from the integer value of a key. Uses 0 as initial value if the key "
     "doesn't exist.",
     &DecrBy},
    {"del", -2, kWrite, 1, -1, 1, "generic", "1.0.0", "Deletes one or more keys.", &Del},
    {"discard", 1, kFast | kAtOnce, 0, 0, 0, "transactions", "2.0.0", "Discards a transaction.",
     &Discard},
    {"echo", 2, kFast, 0, 0, 0, "connection", "1.0.0", "Returns the given string.", &Echo},
    {"exec", 1, kAtOnce, 0, 0, 0, "transactions", "1.2.0",
     "Executes all commands in a transaction.", &Exec},
    {"exists", -2, kReadOnly | kFast, 1, -1, 1, "generic", "1.0.0",
     "Determines whether one or more keys exist.", &Exists},
    {"expire", -3, kWrite | kFast, 1, 1, 1, "generic", "1.0.0",
     "Sets the expiration time of a key in seconds.", &Expire},
    {"expireat", -3, kWrite | kFast, 1, 1, 1, "generic", "1.2.0",
     "Sets the expiration time of a key to a Unix timestamp.", &ExpireAt},
    {"expiretime", 2, kReadOnly | kFast, 1, 1, 1, "generic", "7.0.0",
     "Returns the expiration time of a key as a Unix timestamp.", &ExpireTime},
    {"flushall", -1, kWrite, 0, 0, 0, "server", "1.0.0", "Removes all keys from all databases.",
     &FlushAll},
    {"flushdb", -1, kWrite, 0, 0, 0, "server", "1.0.0",
     "Removes all keys from the current database.", &FlushAll},
    {"get", 2, kReadOnly | kFast, 1, 1, 1, "string", "1.0.0", "Returns the string value of a key.",
     &Get},
    {"getdel", 2, kWrite | kFast, 1, 1, 1, "string", "6.2.0",
     "Returns the string value of a key after deleting the key.", &GetDel},
    {"getex", -2, kWrite | kFast, 1, 1, 1, "string", "6.2.0",
     "Returns the string value of a key after setting its expiration time.", &GetEx},
    {"getrange", 4, kReadOnly, 1, 1, 1, "string", "2.4.0",
     "Returns a substring of the string stored at a key.", &GetRange},
    {"getset", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Returns the previous string value of a key after setting it to a new value.", &GetSet},
    {"hdel", -3, kWrite | kFast, 1, 1, 1, "hash", "2.0.0",
     "Deletes one or more fields and their values from a hash. Deletes the hash if no fields "
     "remain.",
     &HDel},
    {"hello", -1, kFast | kNoAuth | kLoading, 0, 0, 0, "connection", "6.0.0",
     "Handshakes with the server.", &Hello},
    {"hexists", 3, kReadOnly | kFast, 1, 1, 1, "hash", "2.0.0",
     "Determines whether a field exists in a hash.", &HExists},
    {"hget", 3, kReadOnly | kFast, 1, 1, 1, "hash", "2.0.0",
     "Returns the value of a field in a hash.", &HGet},
    {"hgetall", 2, kReadOnly, 1, 1, 1, "hash", "2.0.0", "Returns all fields and values in a hash.",
     &HGetAll},
    {"hincrby", 4, kWrite | kDenyOom | kFast, 1, 1, 1, "hash", "2.0.0",
     "Increments the integer value of a field in a hash by a number. Uses 0 as initial value if "
     "the field doesn't exist.",
     &HIncrBy},
    {"hincrbyfloat", 4, kWrite | kDenyOom | kFast, 1, 1, 1, "hash", "2.6.0",
     "Increments the floating point value of a field by a number. Uses 0 as initial value if the "
     "field doesn't exist.",
     &HIncrByFloat},
    {"hkeys", 2, kReadOnly, 1, 1, 1, "hash", "2.0.0", "Returns all fields in a hash.", &HKeys},
    {"hlen", 2, kReadOnly | kFast, 1, 1, 1, "hash", "2.0.0",
     "Returns the number of fields in a hash.", &HLen},
    {"hmget", -3, kReadOnly | kFast, 1, 1, 1, "hash", "2.0.0",
     "Returns the values of all fields in a hash.", &HMGet},
    {"hmset", -4, kWrite | kDenyOom | kFast, 1, 1, 1, "hash", "2.0.0",
     "Sets the values of multiple fields.", &HMSet},
    {"hrandfield", -2, kReadOnly, 1, 1, 1, "hash", "6.2.0",
     "Returns one or more random fields from a hash.", &HRandField},
    {"hscan", -3, kReadOnly, 1, 1, 1, "hash", "2.8.0", "Iterates over fields and values of a hash.",
     &HScan},
    {"hset", -4, kWrite | kDenyOom | kFast, 1, 1, 1, "hash", "2.0.0",
     "Creates or modifies the value of a field in a hash.", &HSet},
    {"hsetnx", 4, kWrite | kDenyOom | kFast, 1, 1, 1, "hash", "2.0.0",
     "Sets the value of a field in a hash only when the field doesn't exist.", &HSetNx},
    {"hstrlen", 3, kReadOnly | kFast, 1, 1, 1, "hash", "3.2.0",
     "Returns the length of the value of a field.", &HStrLen},
    {"hvals", 2, kReadOnly, 1, 1, 1, "hash", "2.0.0", "Returns all values in a hash.", &HVals},
    {"incr", 2, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't "
     "exist.",
     &Incr},
    {"incrby", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Increments the integer value of a key by a number. Uses 0 as initial value if the key "
     "doesn't exist.",
     &IncrBy},
    {"incrbyfloat", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "2.6.0",
     "Increments the floating point value of a key by a number. Uses 0 as initial value if the key "
     "doesn't exist.",
     &IncrByFloat},
    {"info", -1, kLoading, 0, 0, 0, "server", "1.0.0",
     "Returns information and statistics about the server.", &Info},
    {"keys", 2, kReadOnly, 0, 0, 0, "generic", "1.0.0",
     "Returns all key names that match a pattern.", &Keys},
    {"memory", -2, kReadOnly, 2, 2, 1, "server", "4.0.0", "Tells of a key's memory.",
     &MemoryCommand},
    {"mget", -2, kReadOnly | kFast, 1, -1, 1, "string", "1.0.0",
     "Atomically returns the string values of one or more keys.", &MGet},
    {"mset", -3, kWrite | kDenyOom, 1, -1, 2, "string", "1.0.1",
     "Atomically creates or modifies the string values of one or more keys.", &MSet},
    {"msetnx", -3, kWrite | kDenyOom, 1, -1, 2, "string", "1.0.1",
     "Atomically modifies the string values of one or more keys only when all keys don't exist.",
     &MSetNx},
    {"multi", 1, kFast | kAtOnce, 0, 0, 0, "transactions", "1.2.0", "Starts a transaction.",
     &Multi},
    {"object", -2, kReadOnly, 2, 2, 1, "generic", "2.2.3", "Looks into how a key is kept.",
     &ObjectCommand},
    {"persist", 2, kWrite | kFast, 1, 1, 1, "generic", "2.2.0",
     "Removes the expiration time of a key.", &Persist},
    {"pexpire", -3, kWrite | kFast, 1, 1, 1, "generic", "2.6.0",
     "Sets the expiration time of a key in milliseconds.", &PExpire},
    {"pexpireat", -3, kWrite | kFast, 1, 1, 1, "generic", "2.6.0",
     "Sets the expiration time of a key to a Unix milliseconds timestamp.", &PExpireAt},
    {"pexpiretime", 2, kReadOnly | kFast, 1, 1, 1, "generic", "7.0.0",
     "Returns the expiration time of a key as a Unix milliseconds timestamp.", &PExpireTime},
    {"ping", -1, kFast | kPubSub, 0, 0, 0, "connection", "1.0.0",
     "Returns the server's liveliness response.", &Ping},
    {"psetex", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.6.0",
     "Sets both string value and expiration time in milliseconds of a key. The key is created if "
     "it doesn't exist.",
     &PSetEx},
    {"psubscribe", -2, kPubSub, 0, 0, 0, "pubsub", "2.0.0",
     "Listens for messages published to channels that match one or more patterns.", &PSubscribe},
    {"pttl", 2, kReadOnly | kFast, 1, 1, 1, "generic", "2.6.0",
     "Returns the expiration time in milliseconds of a key.", &PTtl},
    {"publish", 3, kFast, 0, 0, 0, "pubsub", "2.0.0", "Posts a message to a channel.", &Publish},
    {"pubsub", -2, kFast, 0, 0, 0, "pubsub", "2.8.0", "Tells of channels and their subscribers.",
     &PubSub},
    {"punsubscribe", -1, kPubSub, 0, 0, 0, "pubsub", "2.0.0",
     "Stops listening to messages published to channels that match one or more patterns.",
     &PUnsubscribe},
    {"quit", -1, kFast | kNoAuth | kPubSub | kAtOnce, 0, 0, 0, "connection", "1.0.0",
     "Closes the connection.", &Quit},
    {"randomkey", 1, kReadOnly, 0, 0, 0, "generic", "1.0.0",
     "Returns a random key name from the database.", &RandomKey},
    {"rename", 3, kWrite | kKeepsKeys, 1, 2, 1, "generic", "1.0.0",
     "Renames a key and overwrites the destination.", &Rename},
    {"renamenx", 3, kWrite | kFast | kKeepsKeys, 1, 2, 1, "generic", "1.0.0",
     "Renames a key only when the target key name doesn't exist.", &RenameNx},
    {"reset", 1, kFast | kNoAuth | kPubSub | kAtOnce, 0, 0, 0, "connection", "6.2.0",
     "Resets the connection.", &Reset},
    {"role", 1, kFast | kLoading, 0, 0, 0, "server", "2.8.12", "Returns the replication role.",
     &Role},
    {"sadd", -3, kWrite | kDenyOom | kFast, 1, 1, 1, "set", "1.0.0",
     "Adds one or more members to a set. Creates the key if it doesn't exist.", &SAdd},
    {"scan", -2, kReadOnly, 0, 0, 0, "generic", "2.8.0",
     "Iterates over the key names in the database.", &Scan},
    {"scard", 2, kReadOnly | kFast, 1, 1, 1, "set", "1.0.0",
     "Returns the number of members in a set.", &SCard},
    {"sdiff", -2, kReadOnly, 1, -1, 1, "set", "1.0.0", "Returns the difference of multiple sets.",
     &SDiff},
    {"sdiffstore", -3, kWrite | kDenyOom, 1, -1, 1, "set", "1.0.0",
     "Stores the difference of multiple sets in a key.", &SDiffStore},
    {"select", 2, kFast, 0, 0, 0, "connection", "1.0.0", "Changes the selected database.", &Select},
    {"set", -3, kWrite | kDenyOom, 1, 1, 1, "string", "1.0.0",
     "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
     &Set},
    {"setex", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.0.0",
     "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
     &SetEx},
    {"setnx", 3, kWrite | kDenyOom | kFast, 1, 1, 1, "string", "1.0.0",
     "Sets the string value of a key only when the key doesn't exist.", &SetNx},
    {"setrange", 4, kWrite | kDenyOom, 1, 1, 1, "string", "2.2.0",
     "Overwrites a part of a string value with another by an offset. Creates the key if it doesn't "
     "exist.",
     &SetRange},
    {"sinter", -2, kReadOnly, 1, -1, 1, "set", "1.0.0", "Returns the intersect of multiple sets.",
     &SInter},
    {"sintercard", -3, kReadOnly | kMovableKeys, 0, 0, 0, "set", "7.0.0",
     "Returns the number of members of the intersect of multiple sets.", &SInterCard},
    {"sinterstore", -3, kWrite | kDenyOom, 1, -1, 1, "set", "1.0.0",
     "Stores the intersect of multiple sets in a key.", &SInterStore},
    {"sismember", 3, kReadOnly | kFast, 1, 1, 1, "set", "1.0.0",
     "Determines whether a member belongs to a set.", &SIsMember},
    {"smembers", 2, kReadOnly, 1, 1, 1, "set", "1.0.0", "Returns all members of a set.", &SMembers},
    {"smismember", -3, kReadOnly | kFast, 1, 1, 1, "set", "6.2.0",
     "Determines whether multiple members belong to a set.", &SMIsMember},
    {"smove", 4, kWrite | kFast | kKeepsKeys, 1, 2, 1, "set", "1.0.0",
     "Moves a member from one set to another.", &SMove},
    {"spop", -2, kWrite | kFast, 1, 1, 1, "set", "1.0.0",
     "Returns one or more random members from a set after removing them. Deletes the set if the "
     "last member was popped.",
     &SPop},
    {"srandmember", -2, kReadOnly, 1, 1, 1, "set", "1.0.0",
     "Get one or multiple random members from a set.", &SRandMember},
    {"srem", -3, kWrite | kFast, 1, 1, 1, "set", "1.0.0",
     "Removes one or more members from a set. Deletes the set if the last member was removed.",
     &SRem},
    {"sscan", -3, kReadOnly, 1, 1, 1, "set", "2.8.0", "Iterates over members of a set.", &SScan},
    {"strlen", 2, kReadOnly | kFast, 1, 1, 1, "string", "2.2.0",
     "Returns the length of a string value.", &StrLen},
    {"subscribe", -2, kPubSub, 0, 0, 0, "pubsub", "2.0.0",
     "Listens for messages published to channels.", &Subscribe},
    {"substr", 4, kReadOnly, 1, 1, 1, "string", "1.0.0", "Returns a substring from a string value.",
     &GetRange},
    {"sunion", -2, kReadOnly, 1, -1, 1, "set", "1.0.0", "Returns the union of multiple sets.",
     &SUnion},
    {"sunionstore", -3, kWrite | kDenyOom, 1, -1, 1, "set", "1.0.0",
     "Stores the union of multiple sets in a key.", &SUnionStore},
    {"time", 1, kFast, 0, 0, 0, "server", "2.6.0", "Returns the server time.", &Time},
    {"touch", -2, kReadOnly | kFast, 1, -1, 1, "generic", "3.2.1",
     "Returns the number of existing keys out of those specified after updating the time they were "
     "last accessed.",
     &Touch},
    {"ttl", 2, kReadOnly | kFast, 1, 1, 1, "generic", "1.0.0",
     "Returns the expiration time in seconds of a key.", &Ttl},
    {"type", 2, kReadOnly | kFast, 1, 1, 1, "generic", "1.0.0",
     "Determines the type of value stored at a key.", &Type},
    {"unlink", -2, kWrite | kFast, 1, -1, 1, "generic", "4.0.0",
     "Asynchronously deletes one or more keys.", &Del},
    {"unsubscribe", -1, kPubSub, 0, 0, 0, "pubsub", "2.0.0",
     "Stops listening to messages posted to channels.", &Unsubscribe},
    {"unwatch", 1, kFast, 0, 0, 0, "transactions", "2.2.0",
     "Forgets about watched keys of a transaction.", &Unwatch},
    {"wait", 3, 0, 0, 0, 0, "generic", "3.0.0",
     "Says how many other data centers have what this connection has written.", &Wait},
    {"watch", -2, kFast | kAtOnce | kKeepsKeys, 1, -1, 1, "transactions", "2.2.0",
     "Monitors changes to keys to determine the execution of a transaction.", &Watch},
};

constexpr size_t kMaxNameBytes = 32;

// Names by their hash, with open addressing; at most a quarter full.
class Index {
 public:
  Index() {
    for (size_t i = 0; i < std::size(kCommands); ++i) {
      size_t at = Hash64(kCommands[i].name) % kSlots;
      while (slots_[at] != nullptr) at = (at + 1) % kSlots;
      slots_[at] = &kCommands[i];
    }
  }
  const CommandSpec* Find(std::string_view lower) const {
    for (size_t at = Hash64(lower) % kSlots; slots_[at] != nullptr; at = (at + 1) % kSlots) {
      if (slots_[at]->name == lower) return slots_[at];
    }
    return nullptr;
  }

 private:
  static constexpr size_t kSlots = 512;
  static_assert(std::size(kCommands) * 4 < kSlots);
  std::array<const CommandSpec*, kSlots> slots_{};
};

}  // namespace

std::span<const CommandSpec> Commands() { return kCommands; }

const CommandSpec* FindCommand(std::string_view name) {
  static const Index index;
  if (name.size() > kMaxNameBytes) return nullptr;
  char lower[kMaxNameBytes];
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return index.Find({lower, name.size()});
}

bool ArityFits(const CommandSpec& spec, size_t arguments) {
  auto count = static_cast<int64_t>(arguments);
  return spec.arity >= 0 ? count == spec.arity : count >= -spec.arity;
}

std::vector<std::string_view> KeysOf(const CommandSpec& spec, wire::resp::Arguments request) {
  std::vector<std::string_view> keys;
  if ((spec.flags & kMovableKeys) != 0) {
    std::optional<int64_t> count = wire::resp::ParseInteger(request[1]);
    if (!count || *count < 0 || static_cast<uint64_t>(*count) > request.size() - 2) return keys;
    request = request.subspan(2, static_cast<size_t>(*count));
    return {request.begin(), request.end()};
  }
  if (spec.first_key == 0) return keys;
  auto size = static_cast<int64_t>(request.size());
  int64_t last = spec.last_key < 0 ? size + spec.last_key : spec.last_key;
  for (int64_t i = spec.first_key; i <= std::min(last, size - 1); i += spec.key_step) {
    keys.push_back(request[static_cast<size_t>(i)]);
  }
  return keys;
}

}  // namespace meridian::session
