# SPDX-License-Identifier: MPL-2.0
"""Reproduces the recipe of 2019 that inspired this project.

    python3 models/train/seed.py DATA OUT.onnx [--init FILE.pth] [--side N] [--pretraining-epochs N] [--ours MODEL.onnx]

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

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet50

import crop
import faces
import figures
import report_attitude
from train_attitude import cross_entropy

BATCH = 64
RATE, MOMENTUM, STEP_EPOCHS, GAMMA, EPOCHS = 0.01, 0.9, 2, 0.1, 6
# Parameters of the pre-training, which the recipe does not describe.
PRETRAINING_RATE, PRETRAINING_DECAY = 1e-3, 0.05
TRAINING_SHARE = 0.7
# Side of the picture from which a random crop is cut, in sides of the crop.
MARGIN = 256 / 224
# Mean of red, green and blue in the training of resnet50_ferplus_dag.
MEAN = (131.0912, 103.8827, 91.4953)

DESCRIPTION = """\
schema = 1
task = "attitude"
name = "seed-resnet50"

[input]
tensor = "data"
color = "rgb"
mean = [131.0912, 103.8827, 91.4953]

[output]
tensor = "scores"
labels = ["positive", "neutral", "negative"]

[framing]
box_height = 1.0
box_center = [0.0, -0.025]
landmarks = [[0.313, 0.387], [0.686, 0.385], [0.499, 0.583], [0.341, 0.752], [0.661, 0.750]]
"""


def network(outputs):
    """Creates a ResNet-50 like Caffe's, for the published weights.

    The first 1x1 convolution of a stage has the stride, and the pooling is not padded.
    """
    net = resnet50(num_classes=outputs)
    net.maxpool = nn.MaxPool2d(3, 2, ceil_mode=True)
    for stage in (net.layer2, net.layer3, net.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return net


def load_weights(net, path):
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
            sys.exit(f"{path}: no {theirs}; expected the weights of resnet50_ferplus_dag")
    net.load_state_dict(state, strict=False)


class Crops(Dataset):
    """Faces with random crops and flips: pixels (3, side, side) minus MEAN, and a row of targets."""

    def __init__(self, images, landmarks, targets, side, is_random):
        self.images, self.landmarks, self.targets = images, landmarks, targets
        self.side, self.is_random = side, is_random

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image, landmarks = self.images[index], self.landmarks[index]
        large = round(self.side * MARGIN)
        shown_from_crop = crop.whole(image, large) if landmarks is None else crop.from_landmarks(landmarks, large)
        pixels = crop.cut(image, shown_from_crop, large)
        free = large - self.side
        y, x = np.random.randint(0, free + 1, 2) if self.is_random else (free // 2, free // 2)
        pixels = pixels[y : y + self.side, x : x + self.side]
        if self.is_random and np.random.random() < 0.5:
            pixels = pixels[:, ::-1]
        return np.stack([pixels - mean for mean in MEAN]), self.targets[index]


def train(net, loader, epochs, optimizer, schedule, name):
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


def batches(dataset):
    return DataLoader(dataset, BATCH, shuffle=True, num_workers=1, drop_last=True)


def pretrain(net, dataset, epochs):
    """Trains all layers on the distributions of the votes."""
    loader = batches(dataset)
    optimizer = torch.optim.AdamW(net.parameters(), PRETRAINING_RATE, weight_decay=PRETRAINING_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PRETRAINING_RATE, total_steps=epochs * len(loader) + 1, pct_start=0.1
    )
    train(net.train(), loader, epochs, optimizer, schedule, "pre-training")


def retrain(net, parameters, dataset):
    """Retrains the last layers as in the recipe."""
    loader = batches(dataset)
    optimizer = torch.optim.SGD(parameters, RATE, momentum=MOMENTUM)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, STEP_EPOCHS * len(loader), GAMMA)
    train(FrozenNorms(net).train(), loader, EPOCHS, optimizer, schedule, "training")


@torch.no_grad()
def scores(net, dataset):
    net.eval()
    rows = [F.softmax(net(pixels), 1) for pixels, _ in DataLoader(dataset, BATCH, num_workers=1)]
    return torch.cat(rows).numpy()


def retrained_layers(net):
    """Returns the last four layers: the convolutions of the last block with their normalisation, and the outputs."""
    block = net.layer4[2]
    return [block.conv1, block.bn1, block.conv2, block.bn2, block.conv3, block.bn3, net.fc]


class FrozenNorms(nn.Module):
    """The network with the statistics of frozen layers kept during training."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def train(self, mode=True):
        super().train(mode)
        self.net.eval()
        for layer in retrained_layers(self.net):
            layer.train(mode)
        return self

    def forward(self, pixels):
        return self.net(pixels)


class Probabilities(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, pixels):
        return torch.softmax(self.net(pixels), 1)


def export(net, side, out):
    torch.onnx.export(
        Probabilities(net).eval(),
        (torch.zeros(2, 3, side, side),),
        out,
        input_names=["data"],
        output_names=["scores"],
        dynamic_axes={"data": {0: "n"}, "scores": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as description:
        description.write(DESCRIPTION)
        description.flush()
        describe = Path(__file__).parents[1] / "describe.py"
        subprocess.run([sys.executable, describe, out, description.name], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--pretraining-epochs", type=int, default=8)
    parser.add_argument("--ours", type=Path)
    options = parser.parse_args()

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    fer, second = faces.fer2013(options.data), faces.second_set(options.data)
    sets = np.repeat([0, 1], [len(fer), len(second)])
    images, landmarks = fer.images + second.images, fer.landmarks + second.landmarks
    labels = np.concatenate([fer.attitude, second.attitude])
    is_our_test = np.concatenate([fer.split, second.split]) == faces.TEST

    # Random parts of 70% and 30%; the test split is in the 30%.
    order = rng.permutation(np.flatnonzero(~is_our_test))
    training, rest = np.split(order, [round(TRAINING_SHARE * len(labels))])
    testing = np.concatenate([rest, np.flatnonzero(is_our_test)])

    net = network(len(faces.EMOTIONS)).to(memory_format=torch.channels_last)
    if options.init:
        load_weights(net, options.init)
    else:
        chosen = training[sets[training] == 0]
        pictures = Crops([images[i] for i in chosen], [None] * len(chosen), fer.votes[chosen], options.side, True)
        pretrain(net, pictures, options.pretraining_epochs)
        torch.save(net.state_dict(), options.out.with_suffix(".pre-trained.pt"))

    net.fc = nn.Linear(net.fc.in_features, len(faces.ATTITUDES))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    parameters = [parameter for layer in retrained_layers(net) for parameter in layer.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    targets = np.eye(3, dtype=np.float32)[labels]

    def select(chosen, is_random):
        chosen_images, chosen_landmarks = [images[i] for i in chosen], [landmarks[i] for i in chosen]
        return Crops(chosen_images, chosen_landmarks, targets[chosen], options.side, is_random)

    def show(name, truth, predicted):
        metrics = figures.summary(truth, predicted, np.ones(len(truth)))
        print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in metrics.items()))

    retrain(net, parameters, select(training, True))
    export(net, options.side, options.out)

    found = scores(net, select(testing, False))
    show(f"recipe, on its 30% ({len(testing)} faces)", labels[testing], found)
    if options.ours:
        ours = np.flatnonzero(is_our_test[testing])
        show(f"recipe, on the test split ({len(ours)} faces)", labels[testing][ours], found[ours])
        model = report_attitude.session(options.ours)
        parts = [part.of(faces.TEST) for part in (fer, second)]
        predicted = np.concatenate([report_attitude.scores(model, report_attitude.crops(part)) for part in parts])
        show("ours, on the test split", np.concatenate([part.attitude for part in parts]), predicted)


if __name__ == "__main__":
    main()
