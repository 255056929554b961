// Requests: a header with its body. What is decoded is encoded, decoded and encoded again to the
// same bytes.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/message_fixture.hpp"
#include "wire/kafka/messages/consumer_protocol.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {
namespace {

void Fuzz(Bytes input) {
  auto header = DecodeRequestHeader(input);
  if (!header || !header->supported()) return;
  CHECK(header->body.size() <= input.size());
  const ApiDescription& api = *header->api;
  const Schema& schema = *MessageOf(api.key, true).schema;
  bool flexible = api.flexible(header->api_version);
  auto decode = [&](Bytes body) -> std::shared_ptr<void> {
    auto message = MessageOf(api.key, true).make();
    auto done = internal::DecodeMessage(schema, body, header->api_version, flexible, message.get());
    return done ? message : nullptr;
  };
  auto message = decode(header->body);
  if (message == nullptr) return;
  Frame first;
  CHECK(internal::EncodeRequestFrame(api,
                                     {.api_version = header->api_version,
                                      .correlation_id = header->correlation_id,
                                      .client_id = header->client_id},
                                     schema, message.get(), &first));
  auto header_again = DecodeRequestHeader(Bytes(first.bytes).subspan(4));
  CHECK(header_again && header_again->client_id == header->client_id);
  auto again = decode(header_again->body);
  CHECK(again != nullptr);
  Frame second;
  CHECK(internal::EncodeMessage(schema, again.get(), header->api_version, flexible, &second));
  CHECK(AsText(second.bytes) == AsText(header_again->body));
}

}  // namespace
}  // namespace meridian::wire::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::kafka::Fuzz({data, size});
  (void)meridian::wire::kafka::DecodeSubscription({data, size});
  (void)meridian::wire::kafka::DecodeAssignment({data, size});
  return 0;
}
