// Maps an address block to a number by the longest prefix that contains it, with the number of bits
// of the address that the match depends on. Immutable once built; any thread may read it; lookups
// neither allocate nor lock.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"

namespace meridian::dns {

struct PrefixEntry {
  IpPrefix prefix;
  uint32_t value = 0;
};

struct PrefixMatch {
  std::optional<uint32_t> value;  // of the longest prefix that contains the block
  // All addresses that share this many bits with the block's first have the same match. If a longer
  // prefix is inside the matched prefix, scope_bits exceeds the matched length: a resolver that
  // cached the answer for the whole matched prefix would give the longer prefix's clients a wrong
  // answer (RFC 7871 section 7.2.1).
  int scope_bits = 0;
};

class PrefixTable {
 public:
  PrefixTable() = default;
  // kExists for a duplicate prefix, kTooLarge past kMaxPrefixes.
  static Result<PrefixTable> Build(std::vector<PrefixEntry> entries);

  // The block is `address`, whose bits past `bits` are zero. Logarithmic in the number of prefixes.
  PrefixMatch Find(const IpAddress& address, int bits) const;

 private:
  using Key = unsigned __int128;  // the address's bits from the top down
  struct Node {
    Key first;
    int length;
    uint32_t value;
    int parent;  // index of the longest prefix around this one, or -1
  };
  static Key KeyOf(const IpAddress& address);
  static int CommonBits(Key a, Key b);
  static bool Contains(const Node& node, Key key) {
    return CommonBits(node.first, key) >= node.length;
  }
  const std::vector<Node>& Nodes(bool v4) const { return v4 ? ipv4_ : ipv6_; }
  static void LinkParents(std::vector<Node>* nodes);

  std::vector<Node> ipv4_;  // sorted by first address, then by length
  std::vector<Node> ipv6_;
};

}  // namespace meridian::dns
