// The requests and answers of etcd 3.4's JSON gateway that the coordinator needs: reading a key,
// and writing it if its revision is still what it was. Pure.
//
// In its JSON bytes are Base64 and numbers of 64 bits are texts; what is zero or empty is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "site/coordinator/key_store.hpp"

namespace meridian::site {

inline constexpr std::string_view kEtcdRangePath = "/v3/kv/range";
inline constexpr std::string_view kEtcdTxnPath = "/v3/kv/txn";

std::string EtcdRead(std::string_view key);
// If the key has changed, the answer has it as it is.
std::string EtcdWrite(std::string_view key, std::string_view value, int64_t revision);

// kInvalid: it is no such answer. kTooLarge.
Result<StoredKey> ReadEtcdKey(std::string_view json);
Result<KeyWrite> ReadEtcdWrite(std::string_view json, std::string value);
// What a member says of an error, in one printable line of at most kMaxEtcdErrorBytes.
std::string EtcdProblem(std::string_view body);

}  // namespace meridian::site
