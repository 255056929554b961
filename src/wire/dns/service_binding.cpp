#include "wire/dns/service_binding.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {
namespace {

std::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Errc::kInvalid, "malformed SVCB record: {}", what);
}

// RFC 9460 section 7.1: length-prefixed strings, at least one, none empty.
bool DecodeAlpn(Bytes value, std::vector<std::string>* alpn) {
  ByteReader reader(value);
  while (reader.ok() && reader.remaining() > 0) {
    uint8_t length = reader.U8();
    alpn->emplace_back(AsText(reader.Take(length)));
    if (alpn->back().empty()) return false;
  }
  return reader.ok() && !alpn->empty();
}

bool DecodeHints(Bytes value, size_t width, std::vector<IpAddress>* hints) {
  if (value.empty() || value.size() % width != 0) return false;
  for (size_t at = 0; at < value.size(); at += width) {
    hints->push_back(*IpAddress::FromBytes(value.subspan(at, width)));
  }
  return true;
}

bool DecodePort(Bytes value, std::optional<uint16_t>* port) {
  ByteReader reader(value);
  *port = reader.U16();
  return reader.ok() && reader.remaining() == 0;
}

bool DecodeParameter(uint16_t key, Bytes value, ServiceBinding* binding) {
  switch (static_cast<ServiceKey>(key)) {
    case ServiceKey::kAlpn:
      return DecodeAlpn(value, &binding->alpn);
    case ServiceKey::kPort:
      return DecodePort(value, &binding->port);
    case ServiceKey::kIpv4Hint:
      return DecodeHints(value, 4, &binding->ipv4_hints);
    case ServiceKey::kIpv6Hint:
      return DecodeHints(value, 16, &binding->ipv6_hints);
    case ServiceKey::kMandatory:
      break;
  }
  binding->others.push_back({key, {value.begin(), value.end()}});
  return true;
}

bool HasKey(const ServiceBinding& binding, uint16_t key) {
  switch (static_cast<ServiceKey>(key)) {
    case ServiceKey::kAlpn:
      return !binding.alpn.empty();
    case ServiceKey::kPort:
      return binding.port.has_value();
    case ServiceKey::kIpv4Hint:
      return !binding.ipv4_hints.empty();
    case ServiceKey::kIpv6Hint:
      return !binding.ipv6_hints.empty();
    case ServiceKey::kMandatory:
      break;
  }
  return std::ranges::any_of(binding.others, [key](const auto& other) { return other.key == key; });
}

// RFC 9460 section 8: the mandatory keys are ascending, do not include `mandatory` itself, and are
// all present. `mandatory` is key 0, so it is first.
bool MandatoryKeysAreThere(const ServiceBinding& binding) {
  if (binding.others.empty() || binding.others[0].key != 0) return true;
  ByteReader keys(binding.others[0].value);
  if (keys.remaining() == 0) return false;
  uint16_t previous = 0;
  while (keys.ok() && keys.remaining() > 0) {
    uint16_t key = keys.U16();
    if (key <= previous || !HasKey(binding, key)) return false;
    previous = key;
  }
  return keys.ok();
}

void EncodeHints(ServiceKey key, const std::vector<IpAddress>& hints, ByteWriter* writer) {
  if (hints.empty()) return;
  writer->U16(static_cast<uint16_t>(key));
  writer->U16(static_cast<uint16_t>(hints.size() * hints[0].bytes().size()));
  for (const IpAddress& hint : hints) writer->Append(hint.bytes());
}

void EncodeAlpn(const std::vector<std::string>& alpn, ByteWriter* writer) {
  if (alpn.empty()) return;
  size_t bytes = 0;
  for (const std::string& id : alpn) bytes += 1 + id.size();
  writer->U16(static_cast<uint16_t>(ServiceKey::kAlpn));
  writer->U16(static_cast<uint16_t>(bytes));
  for (const std::string& id : alpn) {
    writer->U8(static_cast<uint8_t>(id.size()));
    writer->Append(AsBytes(id));
  }
}

void EncodePort(const std::optional<uint16_t>& port, ByteWriter* writer) {
  if (!port) return;
  writer->U16(static_cast<uint16_t>(ServiceKey::kPort));
  writer->U16(2);
  writer->U16(*port);
}

// Writes the parameters of `others` with keys in [first, end).
void EncodeOthers(const ServiceBinding& binding, int first, int end, ByteWriter* writer) {
  for (const ServiceBinding::Parameter& other : binding.others) {
    if (other.key < first || other.key >= end) continue;
    writer->U16(other.key);
    writer->U16(static_cast<uint16_t>(other.value.size()));
    writer->Append(other.value);
  }
}

}  // namespace

Result<ServiceBinding> DecodeServiceBinding(Bytes rdata) {
  ServiceBinding binding;
  ByteReader fixed(rdata);
  binding.priority = fixed.U16();
  size_t offset = fixed.offset();
  if (!fixed.ok() || !Name::DecodeUncompressed(rdata, &offset, &binding.target)) {
    return Malformed("priority and target");
  }
  ByteReader reader(rdata.subspan(offset));
  int previous = -1;
  while (reader.remaining() > 0) {
    uint16_t key = reader.U16();
    uint16_t length = reader.U16();
    Bytes value = reader.Take(length);
    if (!reader.ok()) return Malformed("a parameter is cut off");
    if (key <= previous) return Malformed("keys are not ascending");
    if (!DecodeParameter(key, value, &binding)) return Malformed("a parameter's value");
    previous = key;
  }
  if (!MandatoryKeysAreThere(binding)) return Malformed("mandatory keys");
  return binding;
}

void EncodeServiceBinding(uint16_t priority, const ServiceBinding& binding, ByteWriter* writer) {
  constexpr int kPastEveryKey = 0x10000;
  int next = 0;
  auto others_before = [&](ServiceKey key) {
    EncodeOthers(binding, next, static_cast<int>(key), writer);
    next = static_cast<int>(key) + 1;
  };
  writer->U16(priority);
  writer->Append(binding.target.wire());
  others_before(ServiceKey::kAlpn);
  EncodeAlpn(binding.alpn, writer);
  others_before(ServiceKey::kPort);
  EncodePort(binding.port, writer);
  others_before(ServiceKey::kIpv4Hint);
  EncodeHints(ServiceKey::kIpv4Hint, binding.ipv4_hints, writer);
  others_before(ServiceKey::kIpv6Hint);
  EncodeHints(ServiceKey::kIpv6Hint, binding.ipv6_hints, writer);
  EncodeOthers(binding, next, kPastEveryKey, writer);
}

}  // namespace meridian::wire::dns
