// The machine of `sim queue`: an engine with producers, readers, a consumer group and an admin.
// The clients outlive the crashes of the machine, and try again what was not answered. Owned by one
// run; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "io/sim/disk_image.hpp"
#include "io/sim/process.hpp"
#include "io/sim/world.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/state/refusal.hpp"
#include "sim/queue/queue_oracle.hpp"
#include "sim/segment_damage.hpp"

namespace meridian::sim {

// The planted bug of a disk in a run that must fail.
enum class PlantedQueueBug : uint8_t {
  kNone,
  kSyncsNothing,         // acts as a queue that acknowledges before its fdatasync
  kForgetsSegmentSyncs,  // acts as a checkpoint that does not sync segment files
};

class QueueNode {
 public:
  QueueNode(io::sim::World& world, PlantedQueueBug bug);
  io::Task<void> Run(io::sim::Machine& machine);

  // No new records from now on.
  void StopWriting() { writing_ = false; }
  // Damages a closed segment file of a topic, if there is one.
  void Damage(io::sim::DiskImage& disk);
  // Whether the present life has read all again after all segments were checked for damage.
  bool checked() const { return checked_; }
  // Whether a life is up and all records are acknowledged.
  bool settled() const;
  uint64_t seen() const { return oracle_.seen(); }

 private:
  // An idempotent producer of one partition.
  struct Producer {
    std::string name;
    queue::TopicPartition where;
    int64_t id = -1;
    int32_t sequence = 0;  // of the batch that is being sent
    int64_t next_number = 0;
    std::vector<std::string> values;  // of that batch; none: it was acknowledged
    std::vector<uint8_t> batch;
  };
  struct Life;
  struct Damaged {
    std::string partition;
    SegmentDamage place;
  };

  io::Task<bool> PrepareTopics(Life& life);
  io::Task<void> CheckAll(Life& life);
  io::Task<void> CheckPartition(Life& life, queue::TopicPartition where);
  io::Task<void> CheckRefusal(Life& life, queue::TopicPartition where, int64_t offset,
                              queue::Refusal refusal);
  io::Task<std::optional<bool>> ReadOnce(Life& life, queue::TopicPartition where,
                                         PartitionContent& content, int64_t& offset);
  io::Task<void> CheckWhenDamageIsKnown(Life& life);
  bool DamageIsKnown(const Life& life) const;
  const Damaged* DamagedAt(queue::TopicPartition where, int64_t offset) const;
  bool SkipDamage(const Life& life, queue::TopicPartition where, PartitionContent& content,
                  int64_t& offset) const;
  io::Task<void> Produce(Life& life, Producer& producer);
  io::Task<bool> SendBatch(Life& life, Producer& producer);
  void MakeBatch(Life& life, Producer& producer);
  io::Task<void> Follow(Life& life, queue::TopicPartition where);
  io::Task<void> Commit(Life& life, std::string group);
  io::Task<void> Administrate(Life& life);
  io::Task<void> RecreateTopic(Life& life);

  io::sim::World& world_;
  PlantedQueueBug bug_;
  QueueOracle oracle_;
  std::vector<Producer> producers_;
  std::vector<Damaged> damaged_;
  TimePoint last_damage_{};
  queue::Engine* engine_ = nullptr;  // null: it is down
  bool checked_ = false;
  bool up_ = false;
  bool writing_ = true;
  std::array<int64_t, 2> committed_{};  // by group: the last offset that was tried
};

}  // namespace meridian::sim
