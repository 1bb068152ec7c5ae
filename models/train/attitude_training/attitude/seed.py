# SPDX-License-Identifier: MPL-2.0
"""Reproduces the recipe of 2019 that inspired this project.

    python3 -m attitude_training.attitude.seed DATA OUT.onnx [--init FILE.pth] [--side N] [--pretraining-epochs N]
        [--ours MODEL.onnx]

A ResNet-50 that was pre-trained on FER+ (eight emotions) gets a last layer with three outputs, and its last four layers
are retrained: SGD with a rate of 0.01, divided by ten after every second epoch, six epochs, random crops and flips, on
a random 70% of the faces. Prints accuracy, MCC and kappa on the other 30% like the authors of the recipe, with faces of
a person in both parts. The test split of this project is part of the 30%.

    --init                weights published as resnet50_ferplus_dag, or of an earlier pre-training; by default, the
                          network is pre-trained on the votes of the 70% of FER2013 and saved as OUT.pre-trained.pt
    --side                side of the input (default: 224, as in the recipe); 48 takes an hour on a CPU
    --pretraining-epochs  number of epochs of the pre-training (default: 8)
    --ours                model of this project, which is compared on the test split
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import log_softmax, softmax
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet50

from ..common.command_line import parser
from ..common.inference import session
from ..common.onnx_export import export
from ..data.faces import TEST
from ..data.labels import ATTITUDES, EMOTIONS
from ..data.seed_split import seed_split
from . import crop, evaluation, metrics
from .targets import SEED_SPLIT, sets

BATCH = 64
RATE, MOMENTUM, STEP_EPOCHS, GAMMA, EPOCHS = 0.01, 0.9, 2, 0.1, 6
# Parameters of the pre-training, which the recipe does not describe; its rate rises for a tenth of the steps.
PRETRAINING_RATE, PRETRAINING_DECAY, PRETRAINING_RISE = 1e-3, 0.05, 0.1
# Side of the picture from which a random crop is cut, in sides of the crop.
MARGIN = 256 / 224
# Mean of red, green and blue in the training of resnet50_ferplus_dag.
MEAN = (131.0912, 103.8827, 91.4953)

DESCRIPTION = f"""\
schema = 1
task = "attitude"
name = "seed-resnet50"

[input]
tensor = "data"
color = "rgb"
mean = {list(MEAN)}

[output]
tensor = "scores"
labels = ["positive", "neutral", "negative"]

[framing]
box_height = {crop.BOX_HEIGHT}
box_center = {list(crop.BOX_CENTER)}
landmarks = {crop.TEMPLATE.tolist()}
"""


def network(outputs: int) -> nn.Module:
    """Creates a ResNet-50 like Caffe's, for the published weights.

    The first 1x1 convolution of a stage has the stride, and the pooling is not padded.
    """
    net = resnet50(num_classes=outputs)
    net.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for stage in (net.layer2, net.layer3, net.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return net


def load_weights(net: nn.Module, path: Path) -> None:
    """Loads the weights of resnet50_ferplus_dag, whose layers have Caffe's names, or of a pre-training."""
    published = torch.load(path, map_location="cpu")
    if "conv1.weight" in published:
        net.load_state_dict(published)
        return
    names = {"conv1": "conv1_7x7_s2", "bn1": "conv1_7x7_s2_bn"}
    parts = {"conv1": "1x1_reduce", "conv2": "3x3", "conv3": "1x1_increase"}
    for stage, blocks in enumerate((net.layer1, net.layer2, net.layer3, net.layer4), 1):
        for index in range(len(blocks)):
            theirs, ours = f"conv{stage + 1}_{index + 1}", f"layer{stage}.{index}"
            for number, (conv, part) in enumerate(parts.items(), 1):
                names |= {f"{ours}.{conv}": f"{theirs}_{part}", f"{ours}.bn{number}": f"{theirs}_{part}_bn"}
            if index == 0:
                names |= {f"{ours}.downsample.0": f"{theirs}_1x1_proj", f"{ours}.downsample.1": f"{theirs}_1x1_proj_bn"}
    state = {}
    for key in net.state_dict():
        layer, parameter = key.rsplit(".", 1)
        theirs = f"{names.get(layer, layer)}.{parameter}"
        if theirs in published:
            state[key] = published[theirs]
        elif layer != "fc" and parameter != "num_batches_tracked":
            raise SystemExit(f"{path}: no {theirs}; expected the weights of resnet50_ferplus_dag")
    net.load_state_dict(state, strict=False)


class Crops(Dataset):
    """Faces with random crops and flips: pixels (3, side, side) minus MEAN, and a row of targets."""

    def __init__(
        self,
        images: list[np.ndarray],
        landmarks: list[np.ndarray | None],
        targets: np.ndarray,
        side: int,
        is_random: bool,
    ) -> None:
        self.images, self.landmarks, self.targets = images, landmarks, targets
        self.side, self.is_random = side, is_random

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, landmarks = self.images[index], self.landmarks[index]
        large = round(self.side * MARGIN)
        pixels = crop.cut(image, crop.placement(image, landmarks, large), large)
        free = large - self.side
        y, x = np.random.randint(0, free + 1, 2) if self.is_random else (free // 2, free // 2)
        pixels = pixels[y : y + self.side, x : x + self.side]
        if self.is_random and np.random.random() < 0.5:
            pixels = pixels[:, ::-1]
        return np.stack([pixels - mean for mean in MEAN]), self.targets[index]


def cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Returns the mean cross entropy of logits with distributions, both (n, k)."""
    return -(target * log_softmax(output, 1)).sum(1).mean()


def train(
    net: nn.Module,
    loader: DataLoader,
    epochs: int,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    name: str,
) -> None:
    """Trains for some epochs; `schedule` changes the rate after each batch."""
    for epoch in range(epochs):
        started, total = time.monotonic(), 0.0
        for pixels, target in loader:
            loss = cross_entropy(net(pixels.contiguous(memory_format=torch.channels_last)), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - started
        print(f"{name} epoch {epoch + 1} loss {total / len(loader):.4f} seconds {seconds:.0f}", flush=True)


def batches(dataset: Dataset) -> DataLoader:
    """Returns shuffled batches."""
    return DataLoader(dataset, BATCH, shuffle=True, num_workers=1, drop_last=True)


def pretrain(net: nn.Module, dataset: Dataset, epochs: int) -> None:
    """Trains all layers on the distributions of the votes."""
    loader = batches(dataset)
    optimizer = torch.optim.AdamW(net.parameters(), PRETRAINING_RATE, weight_decay=PRETRAINING_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PRETRAINING_RATE, total_steps=epochs * len(loader) + 1, pct_start=PRETRAINING_RISE
    )
    train(net.train(), loader, epochs, optimizer, schedule, "pre-training")


def retrain(net: nn.Module, parameters: list[nn.Parameter], dataset: Dataset, epochs: int) -> None:
    """Retrains the last layers as in the recipe."""
    loader = batches(dataset)
    optimizer = torch.optim.SGD(parameters, RATE, momentum=MOMENTUM)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, STEP_EPOCHS * len(loader), GAMMA)
    train(FrozenNorms(net).train(), loader, epochs, optimizer, schedule, "training")


@torch.no_grad()
def scores(net: nn.Module, dataset: Dataset) -> np.ndarray:
    """Returns the probabilities of the attitudes (n, 3)."""
    net.eval()
    rows = [softmax(net(pixels), 1) for pixels, _ in DataLoader(dataset, BATCH, num_workers=1)]
    return torch.cat(rows).numpy()


def retrained_layers(net: nn.Module) -> list[nn.Module]:
    """Returns the last four layers: the convolutions of the last block with their normalization, and the outputs."""
    block = net.layer4[2]
    return [block.conv1, block.bn1, block.conv2, block.bn2, block.conv3, block.bn3, net.fc]


class FrozenNorms(nn.Module):
    """The network with the statistics of frozen layers kept during training."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def train(self, mode: bool = True) -> "FrozenNorms":
        super().train(mode)
        self.net.eval()
        for layer in retrained_layers(self.net):
            layer.train(mode)
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.net(pixels)


class Probabilities(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.net(pixels), 1)


def write(net: nn.Module, side: int, out: Path) -> None:
    """Exports the network as ONNX with its description."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as description:
        description.write(DESCRIPTION)
        description.flush()
        example = torch.zeros(2, 3, side, side)
        export(Probabilities(net), example, out, {"data": {0: "n"}}, {"scores": {0: "n"}}, Path(description.name))


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("out", type=Path)
    add("--init", type=Path)
    add("--side", type=int, default=224)
    add("--pretraining-epochs", type=int, default=8)
    add("--epochs", type=int, default=EPOCHS, help="epochs of the retraining (default: %(default)s, as in the recipe)")
    add("--ours", type=Path)
    options = options_parser.parse_args(arguments)

    torch.manual_seed(0)
    fer, second = sets(options.data)
    belongs_to = np.repeat([0, 1], [len(fer), len(second)])
    images, landmarks = fer.images + second.images, fer.landmarks + second.landmarks
    labels = np.concatenate([fer.attitude, second.attitude])
    splits = np.concatenate([fer.split, second.split])
    training, testing = seed_split(splits, np.random.default_rng(SEED_SPLIT))

    net = network(len(EMOTIONS)).to(memory_format=torch.channels_last)
    if options.init:
        load_weights(net, options.init)
    else:
        chosen = training[belongs_to[training] == 0]
        pictures = Crops([images[i] for i in chosen], [None] * len(chosen), fer.votes[chosen], options.side, True)
        pretrain(net, pictures, options.pretraining_epochs)
        torch.save(net.state_dict(), options.out.with_suffix(".pre-trained.pt"))

    net.fc = nn.Linear(net.fc.in_features, len(ATTITUDES))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    parameters = [parameter for layer in retrained_layers(net) for parameter in layer.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    targets = np.eye(len(ATTITUDES), dtype=np.float32)[labels]

    def select(chosen: np.ndarray, is_random: bool) -> Crops:
        chosen_images, chosen_landmarks = [images[i] for i in chosen], [landmarks[i] for i in chosen]
        return Crops(chosen_images, chosen_landmarks, targets[chosen], options.side, is_random)

    def show(name: str, truth: np.ndarray, predicted: np.ndarray) -> None:
        row = metrics.summary(truth, predicted, metrics.equal_weights(len(truth)))
        print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in row.items()))

    retrain(net, parameters, select(training, True), options.epochs)
    write(net, options.side, options.out)

    found = scores(net, select(testing, False))
    show(f"recipe, on its 30% ({len(testing)} faces)", labels[testing], found)
    if options.ours:
        ours = np.flatnonzero(splits[testing] == TEST)
        show(f"recipe, on the test split ({len(ours)} faces)", labels[testing][ours], found[ours])
        model = session(options.ours)
        parts = [part.of(TEST) for part in (fer, second)]
        predicted = [evaluation.scores(model, crop.crops(part.images, part.landmarks)) for part in parts]
        truth = np.concatenate([part.attitude for part in parts])
        show("ours, on the test split", truth, np.concatenate(predicted))


if __name__ == "__main__":
    main()
