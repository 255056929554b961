// The requests and answers of etcd 3.4's JSON gateway that the coordinator needs: reading a key,
// writing it if its revision is still what it was, and watching it. Pure.
//
// In its JSON bytes are Base64 and numbers of 64 bits are texts; what is zero or empty is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "site/coordinator/key_store.hpp"

namespace meridian::site {

inline constexpr std::string_view kEtcdRangePath = "/v3/kv/range";
inline constexpr std::string_view kEtcdTxnPath = "/v3/kv/txn";
inline constexpr std::string_view kEtcdWatchPath = "/v3/watch";

std::string EtcdRead(std::string_view key);
// If the key has changed, the answer has it as it is.
std::string EtcdWrite(std::string_view key, std::string_view value, int64_t revision);

// kInvalid: it is no such answer. kTooLarge.
Result<StoredKey> ReadEtcdKey(std::string_view json);
Result<KeyWrite> ReadEtcdWrite(std::string_view json, std::string value);
// Asks for all changes of a key after `revision`. The answer has a line of JSON for each message.
std::string EtcdWatch(std::string_view key, int64_t revision);
// The key as the last change of a message leaves it; its revision is 0 if the key was removed.
// Nothing: a message without a change, such as the first one. kUnavailable: the watch has ended,
// or could not begin, because the changes are no longer known, say. kInvalid, kTooLarge.
Result<std::optional<StoredKey>> ReadEtcdWatch(std::string_view json);
// What a member says of an error, in one printable line of at most kMaxEtcdErrorBytes.
std::string EtcdProblem(std::string_view body);

}  // namespace meridian::site
