// Responses: the input is an API key, a version (16 bits each) and a response. What is decoded is
// encoded, decoded and encoded again to the same bytes.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/kafka/api.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/frame.hpp"
#include "wire/kafka/message_fixture.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {
namespace {

void Fuzz(const ApiDescription& api, int16_t version, Bytes response) {
  auto header = DecodeResponseHeader(api, version, response);
  if (!header) return;
  const MessageCase& message_case = MessageOf(api.key, false);
  bool flexible = api.flexible(version);
  auto decode = [&](Bytes body) -> std::shared_ptr<void> {
    auto message = message_case.make();
    auto done =
        internal::DecodeMessage(*message_case.schema, body, version, flexible, message.get());
    return done ? message : nullptr;
  };
  auto message = decode(header->body);
  if (message == nullptr) return;
  Frame first;
  CHECK(internal::EncodeResponseFrame(api, version, header->correlation_id, *message_case.schema,
                                      message.get(), &first));
  auto header_again = DecodeResponseHeader(api, version, Bytes(first.bytes).subspan(4));
  CHECK(header_again && header_again->correlation_id == header->correlation_id);
  auto again = decode(header_again->body);
  CHECK(again != nullptr);
  Frame second;
  CHECK(internal::EncodeMessage(*message_case.schema, again.get(), version, flexible, &second));
  CHECK(AsText(second.bytes) == AsText(header_again->body));
}

void FuzzNamed(Bytes input) {
  ByteReader reader(input);
  const ApiDescription* api = FindApi(static_cast<int16_t>(reader.U16()));
  auto version = static_cast<int16_t>(reader.U16());
  if (api != nullptr && api->Supports(version)) Fuzz(*api, version, input.last(reader.remaining()));
}

}  // namespace
}  // namespace meridian::wire::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::kafka::FuzzNamed({data, size});
  return 0;
}
