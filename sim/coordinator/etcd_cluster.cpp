#include "sim/coordinator/etcd_cluster.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/text/base64.hpp"
#include "http/exchange.hpp"
#include "http/server/server.hpp"
#include "io/sim/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/coordinator/etcd_message.hpp"
#include "site/coordinator/key_store.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::sim {
namespace {

using wire::json::Value;
using wire::json::Writer;

constexpr Duration kLook = std::chrono::milliseconds{20};

std::string TextIn(const Value& object, std::string_view name) {
  return FromBase64(object.TextOf(name)).value_or("");
}

void WriteHeader(Writer& writer, int64_t revision) {
  writer.BeginObject("header");
  writer.Member("cluster_id", "14841639068965178418");
  writer.Member("revision", std::to_string(revision));
  writer.EndObject();
}

void WriteKey(Writer& writer, const std::string& name, const site::StoredKey& key) {
  if (key.revision == 0) return;
  writer.BeginArray("kvs");
  writer.BeginObject();
  writer.Member("key", Base64(name));
  writer.Member("mod_revision", std::to_string(key.revision));
  writer.Member("value", Base64(key.value));
  writer.EndObject();
  writer.EndArray();
  writer.Member("count", "1");
}

Duration UpTo(Random& random, Duration most) {
  return Duration{random.Below(static_cast<uint64_t>(most.count()) + 1)};
}

}  // namespace

io::Task<void> EtcdCluster::Serve(io::sim::Machine& machine) {
  http::Server server(machine.loop, {}, [this, &machine](http::Exchange& exchange) {
    return Answer(exchange, machine);
  });
  auto listener = machine.network.Listen({{}, kPort}, {});
  CHECK(listener);
  server.Serve(std::move(*listener));
  io::WaitQueue nobody;
  (void)co_await nobody.Wait();
  co_await server.Drain(machine.loop.Now());
}

io::Task<bool> EtcdCluster::AwaitLeader(io::sim::Machine& machine) {
  const TimePoint end = machine.loop.After(kMaxWait);
  while (!has_leader_) {
    if (machine.loop.Now() >= end || !co_await io::Sleep(kLook)) co_return false;
  }
  co_return true;
}

io::Task<void> EtcdCluster::Answer(http::Exchange& exchange, io::sim::Machine& machine) {
  const std::string path(exchange.request().path);
  std::string body;
  for (;;) {
    auto data = co_await exchange.ReadBody();
    if (!data) co_return;
    if (data->empty()) break;
    body += AsText(*data);
  }
  // It is executed even if its client does not wait for it.
  struct Call {
    std::string answer;
    bool done = false;
  };
  auto call = std::make_shared<Call>();
  const Duration before = UpTo(machine.random, delay_);
  world_.After(before, [this, call, path, body] {
    if (!has_leader_) return;
    call->answer = Execute(path, body);
    call->done = true;
  });
  if (!co_await io::Sleep(before + UpTo(machine.random, delay_))) co_return;
  if (!call->done && co_await AwaitLeader(machine)) {
    call->answer = Execute(path, body);
    call->done = true;
  }
  if (!call->done) {
    (void)co_await http::RespondText(exchange, 503, R"({"error":"etcdserver: no leader"})");
    co_return;
  }
  (void)co_await exchange.Respond({}, AsBytes(call->answer));
}

std::string EtcdCluster::Execute(std::string_view path, std::string_view body) {
  auto request = wire::json::Parse(body);
  CHECK(request);
  Writer writer;
  writer.BeginObject();
  if (path == site::kEtcdRangePath) {
    const std::string name = TextIn(*request, "key");
    WriteHeader(writer, revision_);
    WriteKey(writer, name, keys_[name]);
  } else {
    CHECK(path == site::kEtcdTxnPath);
    const Value& compare = request->ElementsOf("compare").front();
    const std::string name = TextIn(compare, "key");
    site::StoredKey& key = keys_[name];
    const bool equal = std::to_string(key.revision) == compare.TextOf("mod_revision");
    if (equal) {
      const Value* put = request->ElementsOf("success").front().Find("request_put");
      key = {.value = TextIn(*put, "value"), .revision = ++revision_};
    }
    WriteHeader(writer, revision_);
    if (equal) writer.Member("succeeded", true);
    writer.BeginArray("responses");
    writer.BeginObject();
    writer.BeginObject(equal ? "response_put" : "response_range");
    WriteHeader(writer, revision_);
    if (!equal) WriteKey(writer, name, key);
    writer.EndObject();
    writer.EndObject();
    writer.EndArray();
  }
  writer.EndObject();
  return writer.Take();
}

}  // namespace meridian::sim
