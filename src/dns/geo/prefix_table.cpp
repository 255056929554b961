#include "dns/geo/prefix_table.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/limits.hpp"

namespace meridian::dns {

PrefixTable::Key PrefixTable::KeyOf(const IpAddress& address) {
  Key key = 0;
  for (uint8_t byte : address.bytes()) key = key << 8 | byte;
  return address.is_v4() ? key << 96 : key;
}

int PrefixTable::CommonBits(Key a, Key b) {
  Key different = a ^ b;
  auto high = static_cast<uint64_t>(different >> 64);
  return high != 0 ? std::countl_zero(high)
                   : 64 + std::countl_zero(static_cast<uint64_t>(different));
}

Result<PrefixTable> PrefixTable::Build(std::vector<PrefixEntry> entries) {
  if (entries.size() > kMaxPrefixes) {
    return Fail(Errc::kTooLarge, "{} prefixes; at most {}", entries.size(), kMaxPrefixes);
  }
  std::ranges::sort(entries, {}, &PrefixEntry::prefix);
  auto twice = std::ranges::adjacent_find(entries, {}, &PrefixEntry::prefix);
  if (twice != entries.end()) {
    return Fail(Errc::kExists, "{} stands twice", twice->prefix.ToString());
  }
  PrefixTable table;
  for (const PrefixEntry& entry : entries) {
    const IpPrefix& prefix = entry.prefix;
    auto& nodes = prefix.address.is_v4() ? table.ipv4_ : table.ipv6_;
    nodes.push_back({KeyOf(prefix.address), prefix.length, entry.value, -1});
  }
  LinkParents(&table.ipv4_);
  LinkParents(&table.ipv6_);
  return table;
}

// In sort order a prefix comes before all prefixes inside it, so the parent is the previous entry
// or one of its ancestors.
void PrefixTable::LinkParents(std::vector<Node>* nodes) {
  int around = -1;
  for (size_t i = 0; i < nodes->size(); ++i) {
    Node& node = (*nodes)[i];
    while (around >= 0 && !Contains((*nodes)[static_cast<size_t>(around)], node.first)) {
      around = (*nodes)[static_cast<size_t>(around)].parent;
    }
    node.parent = around;
    around = static_cast<int>(i);
  }
}

PrefixMatch PrefixTable::Find(const IpAddress& address, int bits) const {
  const std::vector<Node>& nodes = Nodes(address.is_v4());
  Key key = KeyOf(address);
  auto after = std::ranges::upper_bound(nodes, key, {}, &Node::first);
  PrefixMatch match;
  auto split_from = [&match](int common) {
    match.scope_bits = std::max(match.scope_bits, common + 1);
  };
  // Of all prefixes that do not contain the address, its two neighbours in sort order share the
  // most bits with it.
  if (after != nodes.end()) split_from(CommonBits(after->first, key));
  int at = static_cast<int>(after - nodes.begin()) - 1;
  if (at >= 0 && !Contains(nodes[static_cast<size_t>(at)], key)) {
    split_from(CommonBits(nodes[static_cast<size_t>(at)].first, key));
  }
  for (; at >= 0; at = nodes[static_cast<size_t>(at)].parent) {
    const Node& node = nodes[static_cast<size_t>(at)];
    if (!Contains(node, key)) continue;
    match.scope_bits = std::max(match.scope_bits, node.length);
    if (node.length > bits) continue;  // contains only a part of the block
    match.value = node.value;
    break;
  }
  return match;
}

}  // namespace meridian::dns
