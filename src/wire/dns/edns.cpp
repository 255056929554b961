#include "wire/dns/edns.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"

namespace meridian::wire::dns {
namespace {

constexpr uint16_t kClientSubnetOption = 8;
constexpr uint16_t kFamilyIpv4 = 1;
constexpr uint16_t kFamilyIpv6 = 2;
constexpr uint16_t kDnssecOkBit = 0x8000;
constexpr size_t kOptFixedBytes = 11;     // root, type, class, TTL, length of the options
constexpr size_t kOptionHeaderBytes = 4;  // code, length
constexpr size_t kSubnetFixedBytes = 4;   // family, source length, scope length

size_t AddressBytes(uint8_t prefix_length) { return (size_t{prefix_length} + 7) / 8; }

bool DecodeClientSubnet(Bytes data, ClientSubnet* subnet) {
  ByteReader reader(data);
  uint16_t family = reader.U16();
  subnet->source_length = reader.U8();
  subnet->scope_length = reader.U8();
  Bytes address = reader.Take(AddressBytes(subnet->source_length));
  if (!reader.ok() || reader.remaining() != 0) return false;
  if (family == 0) {
    subnet->family_unspecified = true;
    return subnet->source_length == 0;
  }
  if (family != kFamilyIpv4 && family != kFamilyIpv6) return false;
  std::array<uint8_t, 16> padded{};
  size_t whole = family == kFamilyIpv4 ? 4 : 16;
  if (subnet->source_length > whole * 8 || subnet->scope_length > whole * 8) return false;
  std::ranges::copy(address, padded.begin());
  subnet->address = *IpAddress::FromBytes({padded.data(), whole});
  return subnet->address.Masked(subnet->source_length) == subnet->address;
}

void EncodeClientSubnet(const ClientSubnet& subnet, ByteWriter* writer) {
  size_t address_bytes = AddressBytes(subnet.source_length);
  uint16_t family = subnet.address.is_v4() ? kFamilyIpv4 : kFamilyIpv6;
  writer->U16(kClientSubnetOption);
  writer->U16(static_cast<uint16_t>(kSubnetFixedBytes + address_bytes));
  writer->U16(subnet.family_unspecified ? 0 : family);
  writer->U8(subnet.source_length);
  writer->U8(subnet.scope_length);
  writer->Append(subnet.address.Masked(subnet.source_length).bytes().first(address_bytes));
}

}  // namespace

bool DecodeEdns(const OptFields& opt, Edns* edns) {
  edns->udp_size = opt.record_class;
  edns->upper_rcode = static_cast<uint8_t>(opt.ttl >> 24);
  edns->version = static_cast<uint8_t>(opt.ttl >> 16);
  edns->dnssec_ok = (opt.ttl & kDnssecOkBit) != 0;
  if (edns->version != 0) return true;
  ByteReader options(opt.data);
  for (size_t count = 0; options.remaining() > 0; ++count) {
    uint16_t code = options.U16();
    uint16_t length = options.U16();
    Bytes data = options.Take(length);
    if (!options.ok() || count == kMaxQueryOptions) return false;
    if (code != kClientSubnetOption) continue;
    if (edns->subnet || !DecodeClientSubnet(data, &edns->subnet.emplace())) return false;
  }
  return true;
}

size_t EncodedEdnsBytes(const Edns& edns) {
  if (!edns.subnet) return kOptFixedBytes;
  return kOptFixedBytes + kOptionHeaderBytes + kSubnetFixedBytes +
         AddressBytes(edns.subnet->source_length);
}

void EncodeEdns(const Edns& edns, ByteWriter* writer) {
  writer->U8(0);  // the root
  writer->U16(static_cast<uint16_t>(RecordType::kOpt));
  writer->U16(edns.udp_size);
  writer->U8(edns.upper_rcode);
  writer->U8(edns.version);
  writer->U16(edns.dnssec_ok ? kDnssecOkBit : 0);
  writer->U16(static_cast<uint16_t>(EncodedEdnsBytes(edns) - kOptFixedBytes));
  if (edns.subnet) EncodeClientSubnet(*edns.subnet, writer);
}

}  // namespace meridian::wire::dns
