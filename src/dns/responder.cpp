#include "dns/responder.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/ip.hpp"
#include "dns/limits.hpp"
#include "dns/snapshot.hpp"
#include "dns/steering.hpp"
#include "dns/zone.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/response_writer.hpp"

namespace meridian::dns {
namespace {

using wire::dns::ClientSubnet;
using wire::dns::Name;
using wire::dns::Query;
using wire::dns::QueryKind;
using wire::dns::Question;
using wire::dns::Rcode;
using wire::dns::RecordHead;
using wire::dns::RecordType;
using wire::dns::ResponseWriter;
using wire::dns::Section;

// A subnet of zero bits means that the client wants privacy (RFC 7871 section 7.1.2): the
// resolver's own address is used, as without a subnet.
const ClientSubnet* SubnetOf(const Query& query) {
  if (!query.edns || !query.edns->subnet) return nullptr;
  const ClientSubnet& subnet = *query.edns->subnet;
  return subnet.source_length > 0 ? &subnet : nullptr;
}

ClientBlock BlockOf(const Query& query, const IpAddress& source) {
  if (const ClientSubnet* subnet = SubnetOf(query)) {
    return {subnet->address, subnet->source_length};
  }
  IpAddress plain = source.Unmapped();
  return {plain, plain.bits()};
}

// Writes an answer from the zone.
class Answer {
 public:
  Answer(const Snapshot& snapshot, const Query& query, const Question& question,
         const IpAddress& source, ResponseWriter* writer)
      : snapshot_(snapshot),
        zone_(*snapshot.zone),
        query_(query),
        question_(question),
        source_(source),
        writer_(*writer) {}

  ReplyKind Write() {
    bool transfer = question_.type == RecordType::kAxfr || question_.type == RecordType::kIxfr;
    if (question_.record_class != wire::dns::RecordClass::kIn || transfer ||
        !question_.name.IsWithin(zone_.domain())) {
      writer_.SetRcode(Rcode::kRefused);
      return ReplyKind::kRefused;
    }
    writer_.SetAuthoritative();
    const ZoneNode* node = zone_.Find(question_.name);
    if (node == nullptr) {
      writer_.SetRcode(Rcode::kNxDomain);
      WriteNegative();
      return ReplyKind::kNxDomain;
    }
    if (WriteNode(*node)) return ReplyKind::kAnswer;
    WriteNegative();
    return ReplyKind::kNoData;
  }

  std::optional<uint8_t> steered_to() const { return steered_to_; }

 private:
  RecordHead InAnswer() const { return {Section::kAnswer, question_.name, zone_.ttl_seconds()}; }

  void WriteNegative() {
    writer_.StartOfAuthority({Section::kAuthority, zone_.domain(), zone_.negative_ttl_seconds()},
                             zone_.soa());
  }

  // False: the name has no record of the type.
  bool WriteNode(const ZoneNode& node) {
    RecordType type = question_.type;
    if (node.kind == ZoneNode::Kind::kEmpty) return false;
    if (type == RecordType::kAny) return WriteAny();
    switch (node.kind) {
      case ZoneNode::Kind::kSite:
        return WriteSite(type);
      case ZoneNode::Kind::kCdn:
        return WriteSteered(type);
      case ZoneNode::Kind::kHost:
        return WriteHost(zone_.hosts()[node.host], type);
      case ZoneNode::Kind::kHttpsPort:
        return type == RecordType::kHttps && WriteSteeredHttps();
      case ZoneNode::Kind::kEmpty:
        break;
    }
    return false;
  }

  bool WriteAny() {
    static constexpr std::array<std::string_view, 2> kStrings = {"RFC8482", ""};
    writer_.Text(InAnswer(), RecordType::kHinfo, kStrings);
    return true;
  }

  bool WriteSite(RecordType type) {
    if (type == RecordType::kNs) return WriteNameServers();
    if (type != RecordType::kSoa) return WriteSteered(type);
    writer_.StartOfAuthority(InAnswer(), zone_.soa());
    return true;
  }

  bool WriteSteered(RecordType type) {
    bool v4 = type == RecordType::kA;
    if (v4 || type == RecordType::kAaaa) return WriteSteeredAddresses(v4);
    return type == RecordType::kHttps && WriteSteeredHttps();
  }

  bool WriteHost(const ZoneHost& host, RecordType type) {
    bool v4 = type == RecordType::kA;
    if (v4 || type == RecordType::kAaaa) {
      WriteAddresses(InAnswer(), host, v4);
      return host.HasFamily(v4);
    }
    if (type != RecordType::kHttps) return false;
    writer_.Https(InAnswer(), 1, host.as_owner);
    return true;
  }

  bool WriteNameServers() {
    for (const ZoneHost& host : zone_.hosts()) writer_.NameServer(InAnswer(), host.name);
    for (const ZoneHost& host : zone_.hosts()) WriteAdditional(host);
    return true;
  }

  Choice Steer() {
    Decision decision = Decide(snapshot_, BlockOf(query_, source_));
    if (SubnetOf(query_) != nullptr) {
      writer_.SetSubnetScope(static_cast<uint8_t>(decision.scope_bits));
    }
    return decision.choice;
  }

  bool WriteSteeredAddresses(bool v4) {
    auto has_family = [v4](const ZoneHost& host) { return host.HasFamily(v4); };
    if (std::ranges::none_of(zone_.hosts(), has_family)) return false;
    Choice choice = Steer();
    for (uint8_t i : choice.data_centers()) {
      const ZoneHost& host = zone_.hosts()[i];
      if (!host.HasFamily(v4)) continue;
      if (!steered_to_) steered_to_ = i;
      WriteAddresses(InAnswer(), host, v4);
      if (!choice.all_are_out) break;
    }
    return steered_to_.has_value();
  }

  bool WriteSteeredHttps() {
    Choice choice = Steer();
    auto listed = choice.data_centers().first(std::min<size_t>(choice.count, kMaxHttpsRecords));
    uint16_t priority = 0;
    for (uint8_t i : listed) writer_.Https(InAnswer(), ++priority, zone_.hosts()[i].as_target);
    for (uint8_t i : listed) WriteAdditional(zone_.hosts()[i]);
    steered_to_ = listed.front();
    return true;
  }

  void WriteAddresses(const RecordHead& head, const ZoneHost& host, bool v4) {
    for (const IpAddress& address : host.addresses) {
      if (address.is_v4() == v4) writer_.Address(head, address);
    }
  }

  void WriteAdditional(const ZoneHost& host) {
    RecordHead head{Section::kAdditional, host.name, zone_.ttl_seconds()};
    for (const IpAddress& address : host.addresses) writer_.Address(head, address);
  }

  const Snapshot& snapshot_;
  const Zone& zone_;
  const Query& query_;
  const Question& question_;
  const IpAddress& source_;
  ResponseWriter& writer_;
  std::optional<uint8_t> steered_to_;
};

ReplyKind WriteError(Rcode rcode, ReplyKind kind, ResponseWriter* writer) {
  writer->SetRcode(rcode);
  return kind;
}

size_t ResponseLimit(const Query& query, Transport transport) {
  return transport == Transport::kUdp ? wire::dns::UdpResponseLimit(query) : kMaxTcpResponseBytes;
}

}  // namespace

Reply Respond(const Snapshot& snapshot, const QueryPacket& packet, MutableBytes out) {
  Query query;
  QueryKind kind = wire::dns::DecodeQuery(packet.message, &query);
  if (kind == QueryKind::kDrop) return {};
  size_t limit = ResponseLimit(query, packet.transport);
  CHECK(out.size() >= limit);
  ResponseWriter writer(query, out.first(limit));
  Reply reply;
  switch (kind) {
    case QueryKind::kDrop:
      break;
    case QueryKind::kAnswer: {
      CHECK(query.question.has_value());
      Answer answer(snapshot, query, *query.question, packet.source, &writer);
      reply.kind = answer.Write();
      reply.steered_to = answer.steered_to();
      break;
    }
    case QueryKind::kFormatError:
      reply.kind = WriteError(Rcode::kFormErr, ReplyKind::kFormErr, &writer);
      break;
    case QueryKind::kNotImplemented:
      reply.kind = WriteError(Rcode::kNotImp, ReplyKind::kNotImp, &writer);
      break;
    case QueryKind::kBadVersion:
      reply.kind = WriteError(Rcode::kBadVers, ReplyKind::kBadVers, &writer);
      break;
  }
  reply.truncated = writer.truncated();
  reply.bytes = writer.Finish();
  return reply;
}

}  // namespace meridian::dns
