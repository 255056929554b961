// For tests: two hosts in a small world, and one-line functions that send and read bytes.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "io/sim/world.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline const IpAddress kServerAddress = IpAddress::V4(10, 0, 0, 1);
inline const IpAddress kClientAddress = IpAddress::V4(10, 0, 0, 2);
inline const Endpoint kService{kServerAddress, 80};

// Reads until the end or an error. Returns the bytes and the reason of the end ("end", or the
// error's name).
inline Task<std::string> ReadToEnd(Stream& stream, TimePoint deadline = kNever) {
  std::string text;
  std::array<uint8_t, 1024> space{};
  for (;;) {
    Result<size_t> got = co_await stream.Read(space, deadline);
    if (!got) co_return text + "|" + std::string(ErrcName(got.error().code));
    if (*got == 0) co_return text + "|end";
    text += AsText(Bytes(space).first(*got));
  }
}

// Echoes bytes, to one peer after the other.
inline Task<void> Echo(Machine& machine) {
  auto listener = machine.network.Listen(kService, {});
  CHECK(listener);
  for (;;) {
    auto stream = co_await (*listener)->Accept();
    if (!stream) co_return;
    std::array<uint8_t, 1024> space{};
    for (;;) {
      Result<size_t> got = co_await (*stream)->Read(space);
      if (!got || *got == 0) break;
      if (!co_await (*stream)->Write(Bytes(space).first(*got))) break;
    }
    Fiber& fiber = co_await ThisFiber{};
    if (fiber.cancelled()) co_return;
  }
}

class SimTest : public testing::Test {
 protected:
  // Ends the processes here, because their mains may refer to members of the test.
  void TearDown() override { world_.End(); }

  SimProcess& AddServer(Main main) {
    return world_.AddProcess({.name = "server", .address = kServerAddress}, std::move(main));
  }
  SimProcess& AddClient(Main main) {
    return world_.AddProcess({.name = "client", .address = kClientAddress, .must_end = true},
                             std::move(main));
  }
  // Runs until the client has ended, and expects that it ends.
  void RunClient() {
    world_.RunToEnd(world_.now() + std::chrono::minutes{10});
    EXPECT_EQ(world_.failure(), std::nullopt);
  }
  // The link from the client to the server, or back.
  Link& there() { return world_.fabric().link(1, 0); }
  Link& back() { return world_.fabric().link(0, 1); }

  World world_{1};
};

}  // namespace meridian::io::sim
